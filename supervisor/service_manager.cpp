// See service_manager.hpp.
#include "supervisor/service_manager.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "runtime/error.hpp"

namespace mydocker::supervisor {

runtime::UniqueFd lock_state_directory(const std::string& state_dir) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(state_dir).parent_path(), error);
    if (::mkdir(state_dir.c_str(), 0700) < 0 && errno != EEXIST)
        runtime::fail(errno, "make " + state_dir);
    const std::string path = state_dir + "/mydockerd.lock";
    runtime::UniqueFd lock(
        runtime::must(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open " + path));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0) {
        char text[32] = "";
        const ssize_t size = ::pread(lock.get(), text, sizeof text - 1, 0);
        std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
        while (!pid.empty() && pid.back() == '\n') pid.pop_back();
        throw std::runtime_error("another mydockerd (pid " + (pid.empty() ? "unknown" : pid) +
                                 ") runs with the state directory " + state_dir +
                                 "; use it, stop it, or give this one another --state-dir");
    }
    const std::string own = std::to_string(::getpid()) + "\n";
    runtime::must(::ftruncate(lock.get(), 0), "write " + path);
    runtime::must(::pwrite(lock.get(), own.data(), own.size(), 0), "write " + path);
    return lock;
}

void notify_service_manager(const std::string& message) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (path == nullptr || (path[0] != '/' && path[0] != '@') ||
        std::strlen(path) >= sizeof address.sun_path)
        return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path, std::strlen(path));
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
    const runtime::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
    ::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL,
             reinterpret_cast<sockaddr*>(&address), size);
}

}  // namespace mydocker::supervisor
