// See terminal_guard.hpp.
#include "tools/ctl/terminal_guard.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace mydocker::ctl {

namespace {

[[noreturn]] void stand_guard(int terminal, int life, const termios& before, const termios& changed,
                              std::string_view farewell) {
    ::prctl(PR_SET_NAME, "terminal-guard");
    // A session of its own: the signal that kills our maker's whole job does not find the guard,
    // and tcsetattr() from outside the terminal's session is never stopped by SIGTTOU.
    ::setsid();
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    // Nobody who waits for the end of one of our maker's pipes shall wait for the guard.
    ::dup2(terminal, 0);
    ::dup2(life, 1);
    ::close_range(2, ~0U, 0);
    char nothing = 0;
    ::send(1, &nothing, 1, MSG_NOSIGNAL);  // on guard
    while (::read(1, &nothing, 1) < 0 && errno == EINTR) {
    }
    // A shell that has already taken the terminal back knows better than we do.
    termios now{};
    if (::tcgetattr(0, &now) != 0 || !same_modes(now, changed)) ::_exit(0);
    // First the screen: with its modes the terminal is the shell's. Nobody may be reading it.
    pollfd room{0, POLLOUT, 0};
    if (!farewell.empty() && ::poll(&room, 1, 0) == 1 &&
        ::write(0, farewell.data(), farewell.size()) < 0) {
    }
    ::tcsetattr(0, TCSANOW, &before);
    ::_exit(0);
}

}  // namespace

bool same_modes(const termios& a, const termios& b) {
    return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_lflag == b.c_lflag;
}

TerminalGuard::TerminalGuard(int terminal, const termios& before, const termios& changed,
                             std::string_view farewell) {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
    UniqueFd waiting(ends[0]);
    life_ = UniqueFd(ends[1]);
    pid_ = ::fork();
    if (pid_ != 0) {
        // Until it has its own session, what kills our whole job would kill it too.
        waiting = UniqueFd();
        char nothing = 0;
        while (::read(life_.get(), &nothing, 1) < 0 && errno == EINTR) {
        }
        return;
    }
    // dup2() onto 0 and 1 must not hit the descriptors it copies.
    const int kept_terminal = ::fcntl(terminal, F_DUPFD, 3);
    const int kept_life = ::fcntl(waiting.get(), F_DUPFD, 3);
    stand_guard(kept_terminal, kept_life, before, changed, farewell);
}

TerminalGuard::~TerminalGuard() {
    if (pid_ <= 0) return;
    // Killed rather than told: it may have been stopped, and has nothing left to do.
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace mydocker::ctl
