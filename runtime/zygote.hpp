// mydockerd's end of the zygote (init/zygote.cpp): asks for blocked inits and receives them.
// Nothing here waits: an answer is fetched when fd() is readable.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

class Zygote {
public:
    // Starts `program` (mydocker-init). Throws std::system_error where it cannot be executed.
    explicit Zygote(const std::string& program);
    ~Zygote();  // ends it and reaps it; inits it made live on, as children of this process
    Zygote(const Zygote&) = delete;
    Zygote& operator=(const Zygote&) = delete;

    struct Request {
        std::uint64_t id;
        int cgroup;
        int plan;    // read end
        int report;  // write end
        std::array<int, 3> standard;
        std::span<const int> mounts;
        bool own_network;
    };
    // Throws EPIPE or ECONNRESET when the zygote has died: receive() then says so too.
    void request(const Request& request);

    struct Answer {
        std::uint64_t id = 0;
        pid_t pid = 0;
        int error = 0;  // errno of clone3(2) where there is no pid
        UniqueFd pidfd;
    };
    // The next answer, nullopt when there is none yet. Throws when the zygote has died: every
    // request that has no answer is lost, and this object with it.
    std::optional<Answer> receive();

    int fd() const { return socket_.get(); }
    pid_t pid() const { return pid_; }

private:
    UniqueFd socket_;
    pid_t pid_ = -1;
};

}  // namespace mydocker::runtime
