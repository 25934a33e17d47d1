// A tiny child process that puts a terminal back in order when its maker dies without a chance to
// do so itself (SIGKILL, a crash). It waits for nothing but the end of a socket pair.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <string_view>

#include "tools/ctl/client.hpp"

namespace mydocker::ctl {

// Whether a terminal's modes are still those that somebody set.
bool same_modes(const termios& a, const termios& b);

class TerminalGuard {
public:
    // From now on, if this process ends with the terminal still as in `changed`, it becomes as in
    // `before`. Made before the terminal is changed, so that there is no moment without a guard.
    // `farewell` is written to it then: what shows the shell's screen and the cursor again.
    // Where no process can be made there is none, and all the rest works.
    TerminalGuard(int terminal, const termios& before, const termios& changed,
                  std::string_view farewell = {});
    ~TerminalGuard();  // the guard is gone when this returns
    TerminalGuard(const TerminalGuard&) = delete;
    TerminalGuard& operator=(const TerminalGuard&) = delete;

private:
    UniqueFd life_;  // its end is what the guard waits for
    pid_t pid_ = -1;
};

}  // namespace mydocker::ctl
