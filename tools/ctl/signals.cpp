// Handlers and a pipe rather than signalfd: a third SIGINT must work even while this thread is
// blocked in a write to a stopped terminal.
#include "tools/ctl/signals.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace mydocker::ctl {

namespace {

struct Caught {
    int number;
    const char* name;
    struct sigaction before;
};
std::array<Caught, 6> caught{{{SIGINT, "SIGINT", {}},
                              {SIGTERM, "SIGTERM", {}},
                              {SIGHUP, "SIGHUP", {}},
                              {SIGQUIT, "SIGQUIT", {}},
                              {SIGWINCH, "SIGWINCH", {}},
                              {SIGCONT, "SIGCONT", {}}}};

std::array<int, 2> wake_pipe{-1, -1};
volatile std::sig_atomic_t interrupts = 0;

void collect(int number) {
    const int saved = errno;
    if (number == SIGINT) {
        interrupts = interrupts + 1;
        if (interrupts >= 3) _exit(128 + SIGINT);
    }
    const auto byte = static_cast<unsigned char>(number);
    // A full pipe holds thousands of signals already: one more says nothing new.
    if (::write(wake_pipe[1], &byte, 1) < 0) errno = saved;
    errno = saved;
}

}  // namespace

SignalInbox::SignalInbox() {
    if (::pipe2(wake_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        throw std::system_error(errno, std::generic_category(), "make a pipe for signals");
    }
    interrupts = 0;
    for (Caught& signal : caught) {
        struct sigaction action {};
        action.sa_handler = collect;  // no SA_RESTART needed: every caller retries on EINTR
        ::sigaction(signal.number, &action, &signal.before);
    }
}

SignalInbox::~SignalInbox() {
    for (const Caught& signal : caught) ::sigaction(signal.number, &signal.before, nullptr);
    ::close(wake_pipe[0]);
    ::close(wake_pipe[1]);
}

int SignalInbox::fd() const { return wake_pipe[0]; }

std::optional<std::string> SignalInbox::take() {
    unsigned char number = 0;
    if (::read(wake_pipe[0], &number, 1) != 1) return std::nullopt;
    for (const Caught& signal : caught) {
        if (signal.number == number) return signal.name;
    }
    return std::nullopt;
}

}  // namespace mydocker::ctl
