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
    // Starts a sealed copy of `program` (mydocker-init) that lives in memory: a container whose
    // command is /proc/self/exe gets that copy to read, never the host's file to overwrite
    // (CVE-2019-5736). Throws std::system_error where it cannot be executed.
    explicit Zygote(const std::string& program);
    ~Zygote();  // ends it and reaps it; inits it made live on, as children of this process
    Zygote(const Zygote&) = delete;
    Zygote& operator=(const Zygote&) = delete;

    struct Request {
        std::uint64_t id = 0;
        int cgroup = -1;
        int plan = -1;    // read end
        int report = -1;  // write end
        std::array<int, 3> standard = {-1, -1, -1};
        std::span<const int> mounts = {};
        bool own_network = true;
        int join = -1;  // pidfd of a container's init: no namespaces of its own, but that one's
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
