// Signals that a client in the foreground passes on to its workload instead of dying of them, and
// those that tell it about its terminal.
#pragma once

#include <optional>
#include <string>

namespace mydocker::ctl {

// While it lives, SIGINT, SIGTERM, SIGHUP and SIGQUIT are collected, and SIGWINCH and SIGCONT,
// which are about us alone; fd() becomes readable then. A third SIGINT ends this process at once
// (exit 130), whatever it is doing.
class SignalInbox {
public:
    SignalInbox();
    ~SignalInbox();
    SignalInbox(const SignalInbox&) = delete;
    SignalInbox& operator=(const SignalInbox&) = delete;

    int fd() const;
    // The oldest signal not yet taken, by name ("SIGTERM"); never blocks.
    std::optional<std::string> take();
};

}  // namespace mydocker::ctl
