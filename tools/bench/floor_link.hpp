// The floor, from the benchmark's side: a mydocker-floor process and the requests it answers.
#pragma once

#include <sys/types.h>

#include "tools/bench/clock.hpp"
#include "tools/bench/floor/wire.hpp"
#include "tools/bench/scene.hpp"

namespace mydocker::bench {

class Floor {
public:
    explicit Floor(const Scene& scene);
    ~Floor();
    Floor(const Floor&) = delete;
    Floor& operator=(const Floor&) = delete;

    // Throws std::runtime_error with the step that failed.
    floor::Reply ask(floor::Command command, floor::Recipe recipe, unsigned count = 1,
                     unsigned in_flight = 1);

private:
    int socket_ = -1;
    pid_t pid_ = -1;
};

}  // namespace mydocker::bench
