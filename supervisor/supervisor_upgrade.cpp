// An upgrade in place: see supervisor.hpp. It is the way that mydockerd's death goes too, taken on
// purpose, so it is tried all the time.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <asio/experimental/as_tuple.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>

#include "runtime/exit_status.hpp"
#include "supervisor/child.hpp"
#include "supervisor/keeper_start.hpp"
#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor {

namespace {

constexpr auto check_patience = std::chrono::seconds{10};   // for the program's own words
constexpr auto answer_patience = std::chrono::seconds{15};  // both: less than a client waits
constexpr auto kill_patience = std::chrono::seconds{1};

std::string first_kilobyte(int fd) {
    std::string text(1024, '\0');
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

[[noreturn]] void refuse(const std::string& why) {
    throw Refusal{"failed",
                  "this mydockerd stays: " + own_program() + " could not take over: " + why};
}

// What the next mydockerd says until it closes the pipe; "" where it says nothing in time.
asio::awaitable<std::string> read_answer(asio::any_io_executor executor, runtime::UniqueFd pipe) {
    constexpr std::size_t most = 1024;
    const auto answers = std::make_shared<WatchedFd>(executor, std::move(pipe));
    asio::steady_timer limit(executor, answer_patience);
    limit.async_wait([answers](const asio::error_code& error) {
        if (!error) answers->close();
    });
    std::string text;
    co_await asio::async_read(**answers, asio::dynamic_buffer(text, most),
                              asio::experimental::as_tuple(asio::use_awaitable));
    co_return answers->is_open() ? text : "";
}

}  // namespace

// Who does not speak its keeper's protocol could not be asked in any other way.
asio::awaitable<void> Supervisor::check_program() {
    const std::string program = own_program();
    const std::vector<std::string> words{program, "--check-takeover",
                                         std::to_string(keeper::protocol)};
    const runtime::UniqueFd said(::memfd_create("check", MFD_CLOEXEC));
    const auto child =
        std::make_shared<WatchedFd>(executor_, start_child(words, {-1, said.get(), said.get()}));
    Waker waker(executor_);
    const ExitPoke at_exit(child, waker);
    if (!co_await waker.pause(Clock::now() + check_patience)) {
        runtime::send_signal(child->get(), SIGKILL);
        if (!co_await waker.pause(Clock::now() + kill_patience)) refuse("it cannot be killed");
    }
    const auto status = runtime::peek_exit(child->get());
    runtime::reap(child->get());
    if (!status || status->signaled || status->number != 0) refuse(first_kilobyte(said.get()));
}

asio::awaitable<Supervisor::Next> Supervisor::prepare_next() {
    check_may_leave();
    if (!next_.expired()) throw Refusal{"busy", "an upgrade is under way"};
    // Only for its end: whatever it is that keeps us, the next one is not wanted any more.
    const Next next(this, [this](void*) { services_.keeper.dismiss(); });
    next_ = next;
    try {
        co_await check_program();
        runtime::Pipe pipe = runtime::make_pipe();
        services_.keeper.prepare(pipe.write.get());
        pipe.write.reset();
        const std::string answer = co_await read_answer(executor_, std::move(pipe.read));
        if (answer != "ok")
            refuse(answer.empty() ? "it ended, or gave no answer in time; see the log" : answer);
    } catch (const std::system_error& error) {
        throw Refusal{"failed", std::string("this mydockerd stays: ") + error.what()};
    }
    co_return next;
}

void Supervisor::check_may_leave() const {
    if (shutting_down_) throw Refusal{"busy", "mydockerd is shutting down"};
    if (services_.keeper.is_lost())
        throw Refusal{"conflict", "there is no keeper that could start the next mydockerd"};
}

// Asked again: the check has taken its time.
void Supervisor::leave() {
    check_may_leave();
    sigset_t pending;  // a stop that has come, and was not read: nobody else would
    if (::sigpending(&pending) == 0 &&
        (::sigismember(&pending, SIGTERM) == 1 || ::sigismember(&pending, SIGINT) == 1))
        throw Refusal{"busy", "mydockerd is told to stop"};
    if (leave_) leave_();
}

}  // namespace mydocker::supervisor
