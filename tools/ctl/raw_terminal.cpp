// See raw_terminal.hpp.
#include "tools/ctl/raw_terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

RawTerminal::RawTerminal(int fd, std::string_view farewell) : fd_(fd) {
    if (::tcgetattr(fd_, &before_) != 0) {
        throw Failure(std::string("cannot read the terminal's modes: ") + std::strerror(errno),
                      protocol::exit_daemon);
    }
    raw_ = before_;
    ::cfmakeraw(&raw_);
    // Without OPOST these mean nothing, but curses clears them and the guard compares.
    raw_.c_oflag &= ~static_cast<tcflag_t>(XTABS | ONLCR);
    guard_ = std::make_unique<TerminalGuard>(fd_, before_, raw_, farewell);
    take_back();
}

void RawTerminal::take_back() {
    // TCSANOW: what was typed ahead is the workload's, and a stopped terminal must not hold us up.
    while (guard_ && ::tcsetattr(fd_, TCSANOW, &raw_) != 0) {
        if (errno == EINTR) continue;
        throw Failure(std::string("cannot set the terminal's modes: ") + std::strerror(errno),
                      protocol::exit_daemon);
    }
}

void RawTerminal::restore() {
    if (!guard_) return;
    // In the background (stopped, then ended by a signal) the terminal is the shell's: only what is
    // still our doing is undone, and SIGTTOU must not stop us over it.
    sigset_t stop{}, mask{};
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGTTOU);
    ::sigprocmask(SIG_BLOCK, &stop, &mask);
    const pid_t front = ::tcgetpgrp(fd_);
    const bool is_ours = front < 0 || front == ::getpgrp();
    termios now{};
    if (is_ours || (::tcgetattr(fd_, &now) == 0 && same_modes(now, raw_))) {
        while (::tcsetattr(fd_, TCSANOW, &before_) != 0 && errno == EINTR) {
        }
    }
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    guard_.reset();
}

std::optional<WindowSize> window_size() {
    for (const int fd : {STDOUT_FILENO, STDIN_FILENO}) {
        winsize size{};
        if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
            return WindowSize{size.ws_row, size.ws_col};
        }
    }
    return std::nullopt;
}

}  // namespace mydocker::ctl
