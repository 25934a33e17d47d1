// See floor_link.hpp.
#include "tools/bench/floor_link.hpp"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>
#include <system_error>

namespace mydocker::bench {

Floor::Floor(const Scene& scene) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        throw std::system_error(errno, std::generic_category(), "make the floor's socket");
    const std::string path = program("mydocker-floor");
    const std::string cgroup = scene.cgroup();
    const std::string rootfs = scene.rootfs();
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(ends[1], 0);
        ::execl(path.c_str(), "mydocker-floor", cgroup.c_str(), rootfs.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(ends[1]);
    socket_ = ends[0];
}

Floor::~Floor() {
    ::close(socket_);  // its end
    ::waitpid(pid_, nullptr, 0);
}

floor::Reply Floor::ask(floor::Command command, floor::Recipe recipe, unsigned count,
                        unsigned in_flight) {
    const floor::Request request{command, recipe, count, in_flight};
    floor::Reply reply{};
    if (::send(socket_, &request, sizeof request, MSG_NOSIGNAL) != sizeof request ||
        ::recv(socket_, &reply, sizeof reply, 0) != sizeof reply)
        throw std::runtime_error("mydocker-floor has ended");
    if (reply.error != 0)
        throw std::runtime_error("mydocker-floor: " + std::string(reply.step) + ": " +
                                 std::strerror(reply.error));
    return reply;
}

}  // namespace mydocker::bench
