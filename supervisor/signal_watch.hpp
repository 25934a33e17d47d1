// Signals as something to read (signalfd(2)): they are blocked for the whole process and come one
// after the other to a coroutine. asio::signal_set would run a handler in a forked child as well.
#pragma once

#include <asio/awaitable.hpp>
#include <initializer_list>

#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

class SignalWatch {
public:
    // Blocks these signals. Throws std::system_error.
    SignalWatch(const asio::any_io_executor& executor, std::initializer_list<int> signals);

    asio::awaitable<int> next();  // 0 once closed
    void close() { fd_.close(); }

private:
    WatchedFd fd_;
};

}  // namespace mydocker::supervisor
