// See child.hpp.
#include "supervisor/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/error.hpp"
#include "runtime/exit_status.hpp"

namespace mydocker::supervisor {

runtime::UniqueFd start_child(const std::vector<std::string>& words,
                              const std::vector<int>& given) {
    std::vector<std::string> copies = words;
    std::vector<char*> arguments;
    arguments.reserve(copies.size() + 1);
    for (std::string& word : copies) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    // Above all that they are to become: no dup2(2) overwrites one that is still to be used.
    constexpr int out_of_the_way = 16;
    std::vector<runtime::UniqueFd> sources;
    sources.reserve(given.size());
    for (const int fd : given)
        sources.emplace_back(fd < 0 ? -1
                                    : runtime::must(::fcntl(fd, F_DUPFD_CLOEXEC, out_of_the_way),
                                                    "pass a descriptor to " + words.front()));

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    for (std::size_t i = 0; i < sources.size(); ++i)
        if (sources[i])
            ::posix_spawn_file_actions_adddup2(&actions, sources[i].get(), static_cast<int>(i));
    ::posix_spawn_file_actions_addclosefrom_np(&actions,
                                               std::max(3, static_cast<int>(sources.size())));
    // mydockerd blocks the signals that it reads from its signalfd; its children must not.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    pid_t pid = -1;
    const int error =
        ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) runtime::fail(error, "execute " + words.front());
    // Our own unreaped child: the number cannot have been given to another.
    runtime::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) {
        const int reason = errno;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        runtime::fail(reason, "open the pidfd of " + words.front());
    }
    return pidfd;
}

ExitPoke::ExitPoke(std::shared_ptr<WatchedFd> pidfd, Waker& waker)
    : wait_(new Wait{std::move(pidfd), waker}) {
    begin(wait_);
}

void ExitPoke::begin(const std::shared_ptr<Wait>& wait) {
    (*wait->pidfd)
        ->async_wait(asio::posix::stream_descriptor::wait_read,
                     [weak = std::weak_ptr(wait)](const asio::error_code& error) {
                         const auto self = weak.lock();
                         if (error || !self) return;
                         // It may be the last event of another descriptor: Asio reuses them.
                         if (!runtime::peek_exit(self->pidfd->get())) return begin(self);
                         self->waker.poke();
                     });
}

}  // namespace mydocker::supervisor
