// See signal_watch.hpp.
#include "supervisor/signal_watch.hpp"

#include <signal.h>
#include <sys/signalfd.h>

#include <asio/experimental/as_tuple.hpp>
#include <asio/use_awaitable.hpp>

#include "runtime/error.hpp"

namespace mydocker::supervisor {

namespace {

runtime::UniqueFd open_signals(std::initializer_list<int> signals) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : signals) ::sigaddset(&set, signal);
    runtime::must(::sigprocmask(SIG_BLOCK, &set, nullptr), "block signals");
    return runtime::UniqueFd(
        runtime::must(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "open a signalfd"));
}

}  // namespace

SignalWatch::SignalWatch(const asio::any_io_executor& executor, std::initializer_list<int> signals)
    : fd_(executor, open_signals(signals)) {}

asio::awaitable<int> SignalWatch::next() {
    while (fd_.is_open()) {
        signalfd_siginfo info{};
        if (::read(fd_.get(), &info, sizeof info) == sizeof info)
            co_return static_cast<int>(info.ssi_signo);
        co_await fd_->async_wait(asio::posix::stream_descriptor::wait_read,
                                 asio::experimental::as_tuple(asio::use_awaitable));
    }
    co_return 0;
}

}  // namespace mydocker::supervisor
