// See service_manager.hpp.
#include "supervisor/service_manager.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "runtime/error.hpp"
#include "supervisor/log.hpp"

namespace mydocker::supervisor {

namespace {

// False where another process has it. A child of the one before us that had not executed its
// program yet, or the next one that was killed with it, may have it for a moment.
bool can_lock(int fd, const std::string& path) {
    constexpr auto patience = std::chrono::seconds{1};
    constexpr auto pause = std::chrono::milliseconds{5};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (::flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) runtime::fail(errno, "lock " + path);
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(pause);
    }
    return true;
}

}  // namespace

runtime::UniqueFd lock_state_directory(const std::string& state_dir) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(state_dir).parent_path(), error);
    if (::mkdir(state_dir.c_str(), 0700) < 0 && errno != EEXIST)
        runtime::fail(errno, "make " + state_dir);
    const std::string path = state_dir + "/mydockerd.lock";
    runtime::UniqueFd lock(
        runtime::must(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open " + path));
    if (!can_lock(lock.get(), path)) {
        char text[32] = "";
        const ssize_t size = ::pread(lock.get(), text, sizeof text - 1, 0);
        std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
        while (!pid.empty() && pid.back() == '\n') pid.pop_back();
        throw std::runtime_error("another mydockerd (pid " + (pid.empty() ? "unknown" : pid) +
                                 ") runs with the state directory " + state_dir +
                                 "; use it, stop it, or give this one another --state-dir");
    }
    write_lock_owner(lock.get(), ::getpid());
    return lock;
}

// For people: a full disk stands in nobody's way.
void write_lock_owner(int lock, pid_t pid) {
    const std::string text = std::to_string(pid) + "\n";
    if (::ftruncate(lock, 0) < 0 ||
        ::pwrite(lock, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        log::warn("cannot write the pid into mydockerd.lock: {}", std::strerror(errno));
}

runtime::UniqueFd lock_directory(const std::string& path, const std::string& who,
                                 const std::string& instead) {
    runtime::UniqueFd lock(
        runtime::must(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open " + path));
    if (!can_lock(lock.get(), path))
        throw std::runtime_error("another mydockerd " + who + " " + path +
                                 "; use it, stop it, or " + instead);
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
