// See input_end.hpp.
#include "supervisor/input_end.hpp"

#include <unistd.h>

#include <cerrno>

namespace mydocker::supervisor {

void InputEnd::open(runtime::UniqueFd fd, bool terminal, std::function<void()> ended) {
    close();
    on_end_ = std::move(ended);
    terminal_ = terminal;
    ended_ = false;
    ++opened_;
    if (fd) fd_ = std::make_unique<WatchedFd>(executor_, std::move(fd));
    if (size_.rows != 0) resize(size_);
    ready.ring();
}

void InputEnd::close() {
    fd_.reset();
    waiting_ = false;
}

std::size_t InputEnd::write(std::string_view bytes) {
    if (ended_) return bytes.size();
    if (!fd_) return 0;
    std::size_t taken = 0;
    while (taken < bytes.size()) {
        const ssize_t count = ::write(fd_->get(), bytes.data() + taken, bytes.size() - taken);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            await_room();
            break;
        }
        if (count < 0) {  // EPIPE, or a terminal that has hung up: nobody will read any of it
            close();
            ended_ = true;
            return bytes.size();
        }
        taken += static_cast<std::size_t>(count);
    }
    return taken;
}

bool InputEnd::end() {
    if (ended_ || !fd_) return ended_;
    if (terminal_) return write("\x04") == 1;
    close();
    ended_ = true;
    if (on_end_) on_end_();
    return true;
}

void InputEnd::resize(runtime::WindowSize size) {
    size_ = size;
    if (fd_ && terminal_) runtime::set_window(fd_->get(), size);
}

void InputEnd::await_room() {
    if (std::exchange(waiting_, true)) return;
    (*fd_)->async_wait(asio::posix::stream_descriptor::wait_write,
                       [this, alive = std::weak_ptr<int>(alive_)](const asio::error_code& error) {
                           if (error || alive.expired()) return;
                           waiting_ = false;
                           ready.ring();
                       });
}

}  // namespace mydocker::supervisor
