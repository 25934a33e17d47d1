// The reading end of a process's stdout or stderr (or of its terminal), for one client: read no
// faster than the client takes it, so the process waits in its pipe.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "supervisor/waker.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

class OutputEnd {
public:
    explicit OutputEnd(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    void open(runtime::UniqueFd fd) {  // non-blocking; may be empty
        if (fd) fd_ = std::make_unique<WatchedFd>(executor_, std::move(fd));
    }
    void close() { fd_.reset(); }
    int fd() const { return fd_ ? fd_->get() : -1; }

    // At most `room` bytes of what is there now; "" where there is nothing, or nothing any more.
    std::string read(std::size_t room) {
        if (!fd_) return "";
        std::string bytes(room, '\0');
        ssize_t count = 0;
        do {
            count = ::read(fd_->get(), bytes.data(), bytes.size());
        } while (count < 0 && errno == EINTR);
        // EIO is how a terminal ends.
        if (count == 0 || (count < 0 && errno != EAGAIN)) close();
        bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return bytes;
    }

    // Rings `ready` once there is something to read, or the end.
    void watch() {
        if (!fd_ || waiting_) return;
        waiting_ = true;
        (*fd_)->async_wait(
            asio::posix::stream_descriptor::wait_read,
            [this, alive = std::weak_ptr<int>(alive_)](const asio::error_code& error) {
                if (alive.expired()) return;
                waiting_ = false;
                if (!error) ready.ring();
            });
    }

    Bell ready;

private:
    asio::any_io_executor executor_;
    std::unique_ptr<WatchedFd> fd_;
    bool waiting_ = false;
    std::shared_ptr<int> alive_ = std::make_shared<int>();  // handlers look whether we still are
};

}  // namespace mydocker::supervisor
