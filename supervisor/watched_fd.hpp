// A descriptor in the loop's epoll set. Asio's close() leaves the kernel's registration to the last
// copy's closing, and copies may live on in other processes: this one always deregisters first.
#pragma once

#include <unistd.h>
#include <asio/posix/stream_descriptor.hpp>

#include "runtime/unique_fd.hpp"

namespace mydocker::supervisor {

class WatchedFd {
public:
    WatchedFd(const asio::any_io_executor& executor, runtime::UniqueFd fd)
        : descriptor_(executor, fd.release()) {}
    ~WatchedFd() { close(); }
    WatchedFd(const WatchedFd&) = delete;
    WatchedFd& operator=(const WatchedFd&) = delete;

    asio::posix::stream_descriptor& operator*() { return descriptor_; }
    asio::posix::stream_descriptor* operator->() { return &descriptor_; }
    int get() { return descriptor_.native_handle(); }
    bool is_open() const { return descriptor_.is_open(); }

    // Cancels what waits on it, deregisters, closes.
    void close() {
        if (descriptor_.is_open()) ::close(descriptor_.release());
    }

private:
    asio::posix::stream_descriptor descriptor_;
};

}  // namespace mydocker::supervisor
