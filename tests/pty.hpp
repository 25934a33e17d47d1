// A terminal that a test types at and looks at, and a process in a session of its own whose
// terminal it can be. Used by unit tests and system tests alike; every wait has a deadline.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "tools/ctl/client.hpp"

namespace mydocker::tests {

constexpr int patience_ms = 30'000;

inline bool is_ready(int fd, short events, int milliseconds = patience_ms) {
    pollfd waiting{fd, events, 0};
    return ::poll(&waiting, 1, milliseconds) > 0;
}

inline bool becomes_true(const std::function<bool()>& question) {
    for (int i = 0; i < patience_ms / 10; ++i) {
        if (question()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return question();
}

// Killed with this object.
class SessionProcess {
public:
    // `controls`: `in` is a terminal and becomes its controlling one.
    SessionProcess(const std::function<int()>& main, int in, int out, int err, bool controls) {
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::setsid();
        if (controls) ::ioctl(in, TIOCSCTTY, 0);
        // Boost.Test has handlers of its own for some.
        for (int signal = 1; signal < SIGRTMIN; ++signal) ::signal(signal, SIG_DFL);
        ::dup2(in, 0);
        ::dup2(out, 1);
        ::dup2(err, 2);
        ::close_range(3, ~0U, 0);
        ::_exit(main());
    }
    ~SessionProcess() {
        if (status_) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    SessionProcess(const SessionProcess&) = delete;
    SessionProcess& operator=(const SessionProcess&) = delete;

    void signal(int number) const { ::kill(pid_, number); }
    pid_t pid() const { return pid_; }
    // 128 + n for a signal; -1 where it does not end.
    int exit_code() {
        int status = 0;
        if (!status_ && becomes_true([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }))
            status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        return status_.value_or(-1);
    }

private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

// A pty; a client gets `slave`, the test types and reads at `master`.
struct Terminal {
    Terminal() {
        int ends[2];
        const winsize size{30, 100, 0, 0};
        BOOST_TEST_REQUIRE(::openpty(&ends[0], &ends[1], nullptr, nullptr, &size) == 0);
        master = ctl::UniqueFd(ends[0]);
        slave = ctl::UniqueFd(ends[1]);
        ::fcntl(master.get(), F_SETFD, FD_CLOEXEC);
        before = modes();
    }
    termios modes() const {
        termios now{};
        ::tcgetattr(slave.get(), &now);
        return now;
    }
    bool is_raw() const { return (modes().c_lflag & (ICANON | ECHO | ISIG)) == 0; }
    bool is_as_before() const {
        const termios now = modes();
        return now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag &&
               now.c_oflag == before.c_oflag;
    }
    void type(std::string_view keys) const {
        BOOST_TEST(::write(master.get(), keys.data(), keys.size()) ==
                   static_cast<ssize_t>(keys.size()));
    }
    // What is on the screen once it contains `text`, or when the time is up.
    std::string shows(const std::string& text) {
        char buffer[4096];
        while (screen.find(text) == std::string::npos && is_ready(master.get(), POLLIN)) {
            const ssize_t count = ::read(master.get(), buffer, sizeof buffer);
            if (count <= 0) break;
            screen.append(buffer, static_cast<std::size_t>(count));
        }
        return screen;
    }

    ctl::UniqueFd master, slave;
    termios before{};
    std::string screen;
};

}  // namespace mydocker::tests
