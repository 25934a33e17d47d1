// See hook.hpp.
#include "supervisor/hook.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "runtime/exit_status.hpp"
#include "runtime/kernel_file.hpp"
#include "supervisor/child.hpp"
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

asio::awaitable<void> follow(std::shared_ptr<WatchedFd> pidfd, asio::any_io_executor executor,
                             std::string what, std::optional<std::chrono::seconds> patience) {
    Waker waker(executor);
    const ExitPoke at_exit(pidfd, waker);
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

// A program of the operator's is neither spared by the OOM killer nor given our many descriptors.
void give_usual_standing(int pidfd) {
    const pid_t pid = runtime::pid_of(pidfd);
    if (pid <= 0) return;
    rlimit limit{};
    if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) == 0) {
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1024);
        ::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr);
    }
    const std::string path = "/proc/" + std::to_string(pid) + "/oom_score_adj";
    try {
        runtime::write_file_at(AT_FDCWD, path.c_str(), "0", "write " + path);
    } catch (const std::system_error&) {  // it has ended already
    }
}

void run_command(const asio::any_io_executor& executor, const std::vector<std::string>& words,
                 const std::string& what, std::optional<std::chrono::seconds> patience) {
    try {
        auto pidfd = std::make_shared<WatchedFd>(executor, start_child(words, {}));
        give_usual_standing(pidfd->get());
        spawn(executor, what, follow(std::move(pidfd), executor, what, patience));
    } catch (const std::system_error& error) {
        log::error("{}: {}", what, error.what());
    }
}

}  // namespace

void run_hook(const asio::any_io_executor& executor, const std::string& container,
              const std::vector<std::string>& command,
              const std::map<std::string, std::string>& values) {
    std::vector<std::string> words;
    words.reserve(command.size());
    for (const std::string& word : command) words.push_back(substitute(word, values));
    const std::string what = container + ": on_failure command " + words.front();
    run_command(executor, words, what, hook_patience);
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
