// A terminal whose keys go to a workload as they are: no echo, no lines, no ^C of its own. It is
// put back as it was on every way out; when this process is killed, by its guard.
#pragma once

#include <termios.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "tools/ctl/terminal_guard.hpp"

namespace mydocker::ctl {

class RawTerminal {
public:
    // Failure (125) where it is no terminal. `farewell`: what the guard writes to it.
    explicit RawTerminal(int fd, std::string_view farewell = {});
    ~RawTerminal() { restore(); }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

    void restore();    // for good; the second time does nothing
    void take_back();  // after SIGCONT: the shell has had the terminal meanwhile

private:
    int fd_;
    termios before_{};
    termios raw_{};
    std::unique_ptr<TerminalGuard> guard_;  // while it is raw
};

struct WindowSize {
    std::uint16_t rows = 0;
    std::uint16_t columns = 0;
    bool operator==(const WindowSize&) const = default;
};

// Of the terminal on standard output, or else on standard input; nullopt where it has none.
std::optional<WindowSize> window_size();

}  // namespace mydocker::ctl
