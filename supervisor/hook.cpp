// See hook.hpp.
#include "supervisor/hook.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "runtime/exit_status.hpp"
#include "supervisor/log.hpp"
#include "supervisor/spawn.hpp"
#include "supervisor/verdict.hpp"
#include "supervisor/waker.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

namespace {

constexpr auto hook_patience = std::chrono::seconds{30};
constexpr int small_tree = 100;  // entries

std::string substitute(std::string text, const std::map<std::string, std::string>& values) {
    for (const auto& [key, value] : values) {
        const std::string mark = "{" + key + "}";
        for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;
             at += value.size())
            text.replace(at, mark.size(), value);
    }
    return text;
}

void poke_at_exit(const std::shared_ptr<WatchedFd>& pidfd, Waker& waker) {
    (*pidfd)->async_wait(asio::posix::stream_descriptor::wait_read,
                         [pidfd, &waker](const asio::error_code& error) {
                             if (error) return;
                             // It may be the last event of another descriptor: see Run::on_exit().
                             if (!runtime::peek_exit(pidfd->get()))
                                 return poke_at_exit(pidfd, waker);
                             waker.poke();
                         });
}

asio::awaitable<void> follow(std::shared_ptr<WatchedFd> pidfd, asio::any_io_executor executor,
                             std::string what, std::optional<std::chrono::seconds> patience) {
    Waker waker(executor);
    poke_at_exit(pidfd, waker);
    std::optional<Time> deadline;
    if (patience) deadline = Clock::now() + *patience;
    if (!co_await waker.pause(deadline)) {
        log::warn("{}: not done after {}s: killed", what, patience->count());
        runtime::send_signal(pidfd->get(), SIGKILL);
        co_await waker.pause();
    }
    const auto status = runtime::peek_exit(pidfd->get());
    runtime::reap(pidfd->get());
    if (status && (status->signaled || status->number != 0))
        log::warn("{}: ended with {} {}", what, status->signaled ? "signal" : "code",
                  status->number);
}

// Starts it with a clean signal mask and no descriptor but the standard ones.
void run_command(const asio::any_io_executor& executor, std::vector<std::string> words,
                 const std::string& what, std::optional<std::chrono::seconds> patience) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    // mydockerd blocks the signals that it reads from its signalfd; the command must not.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    const int error =
        ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return log::error("{}: {}", what, std::strerror(error));
    // Our own unreaped child: the number cannot have been given to another.
    runtime::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) return log::error("{}: open its pidfd: {}", what, std::strerror(errno));
    spawn(
        executor, what,
        follow(std::make_shared<WatchedFd>(executor, std::move(pidfd)), executor, what, patience));
}

}  // namespace

void run_hook(const asio::any_io_executor& executor, const std::string& container,
              const std::vector<std::string>& command,
              const std::map<std::string, std::string>& values) {
    std::vector<std::string> words;
    words.reserve(command.size());
    for (const std::string& word : command) words.push_back(substitute(word, values));
    const std::string what = container + ": on_failure command " + words.front();
    run_command(executor, std::move(words), what, hook_patience);
}

void remove_tree(const asio::any_io_executor& executor, const std::filesystem::path& path) {
    namespace fs = std::filesystem;
    std::error_code error;
    int entries = 0;
    for (fs::recursive_directory_iterator it(path, error), end; it != end && entries <= small_tree;
         it.increment(error)) {
        if (error) break;
        ++entries;
    }
    if (entries <= small_tree) {
        fs::remove_all(path, error);
        if (error) log::error("remove {}: {}", path.string(), error.message());
        return;
    }
    run_command(executor, {"rm", "-rf", "--", path.string()}, "remove " + path.string(),
                std::nullopt);
}

}  // namespace mydocker::supervisor
