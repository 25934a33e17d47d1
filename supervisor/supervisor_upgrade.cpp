// An upgrade in place: see supervisor.hpp. It is the way that mydockerd's death goes too, taken on
// purpose, so it is tried all the time.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/exit_status.hpp"
#include "supervisor/child.hpp"
#include "supervisor/keeper_start.hpp"
#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor {

namespace {

constexpr auto check_patience = std::chrono::seconds{10};

std::string first_kilobyte(int fd) {
    std::string text(1024, '\0');
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace

asio::awaitable<void> Supervisor::check_upgrade() {
    if (shutting_down_) throw Refusal{"busy", "mydockerd is shutting down"};
    if (services_.keeper.is_lost())
        throw Refusal{"conflict", "there is no keeper that could start the next mydockerd"};
    const std::string program = own_program();
    const std::vector<std::string> words{program,       "--check-takeover",
                                         "--state-dir", host_.daemon.state_dir,
                                         "--data-root", host_.daemon.data_root};
    const runtime::UniqueFd said(::memfd_create("check", MFD_CLOEXEC));
    std::optional<runtime::ExitStatus> status;
    try {
        const auto child = std::make_shared<WatchedFd>(
            executor_, start_child(words, {-1, said.get(), said.get()}));
        Waker waker(executor_);
        const ExitPoke at_exit(child, waker);
        if (!co_await waker.pause(Clock::now() + check_patience)) {
            runtime::send_signal(child->get(), SIGKILL);
            co_await waker.pause();
        }
        status = runtime::peek_exit(child->get());
        runtime::reap(child->get());
    } catch (const std::system_error& error) {
        throw Refusal{"failed", std::string("this mydockerd stays: ") + error.what()};
    }
    if (!status || status->signaled || status->number != 0)
        throw Refusal{"failed", "this mydockerd stays: " + program +
                                    " could not take over: " + first_kilobyte(said.get())};
}

void Supervisor::leave() {
    if (leave_) leave_();
}

}  // namespace mydocker::supervisor
