// The measurements. Each runs the floor and mydockerd in turn, so that whatever else the machine is
// doing meets both, and gives back plain samples; report.hpp says what they mean.
#pragma once

#include <vector>

#include "tools/bench/clock.hpp"
#include "tools/bench/daemon.hpp"
#include "tools/bench/floor_link.hpp"

namespace mydocker::bench {

using floor::Recipe;

const char* name_of(Recipe recipe);
// The container that mydockerd is given for a recipe.
nlohmann::json container_of(const Scene& scene, Recipe recipe, const std::string& program);

using Samples = std::vector<double>;  // microseconds; or containers per second

struct Pair {
    Samples floor;
    Samples mydockerd;
};

struct Bench {
    const Scene& scene;
    Floor& floor;
    Daemon& daemon;
    Marks& marks;
};

struct Latency {
    Pair to_exec;     // request -> the workload's first instruction
    Pair to_cleaned;  // request -> the container is at rest, its cgroup removed, the client told
};
// The containers "NAME" must exist: container_of(recipe, "/mydocker-true").
Latency measure_latency(const Bench& bench, Recipe recipe, const std::string& name, unsigned count);

// Containers a second, started, ended and removed, in `rounds` rounds of `count`.
Pair measure_rate(const Bench& bench, Recipe recipe, const std::vector<std::string>& names,
                  unsigned in_flight, unsigned rounds, unsigned count);

// kill -9 of the workload -> its successor's first instruction, restart = always with no delay.
Pair measure_replacement(const Bench& bench, Recipe recipe, const std::string& name,
                         unsigned count);

}  // namespace mydocker::bench
