// See terminfo.hpp and terminfo(5).
#include "tools/ctl/watch/terminfo.hpp"

#include <unistd.h>

#include <cstdlib>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"

// Last: their macros are lower-case words.
#include <curses.h>
#include <term.h>

namespace mydocker::ctl::watch {

namespace {

constexpr auto instead = "; use `mydocker-ctl stats` or `mydocker-ctl ps`";

std::string capability(const char* name) {
    std::string key = name;  // not const in curses
    const char* text = ::tigetstr(key.data());
    return text == nullptr || text == reinterpret_cast<const char*>(-1) ? "" : text;
}

// Padding such as $<100/> is for terminals of the seventies.
std::string without_padding(std::string text) {
    for (std::size_t at = text.find("$<"); at != std::string::npos; at = text.find("$<", at)) {
        const std::size_t end = text.find('>', at);
        if (end == std::string::npos) break;
        text.erase(at, end - at + 1);
    }
    return text;
}

}  // namespace

void require_screen() {
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
        throw Failure(std::string("watch needs a terminal for its screen and its keys") + instead,
                      protocol::exit_daemon);
    }
    int error = 0;
    const char* term = std::getenv("TERM");
    const std::string name = term == nullptr ? "" : term;
    if (::setupterm(nullptr, STDOUT_FILENO, &error) != OK) {
        throw Failure("watch does not know the terminal type '" + name + "' (TERM)" + instead,
                      protocol::exit_daemon);
    }
    if (capability("cup").empty()) {
        throw Failure("the terminal type '" + name + "' (TERM) has no screen to draw on" + instead,
                      protocol::exit_daemon);
    }
}

std::string farewell() {
    std::string text;
    for (const char* name : {"sgr0", "op", "rmkx", "cnorm", "rmcup"}) text += capability(name);
    return without_padding(text);
}

}  // namespace mydocker::ctl::watch
