// See progress.hpp.
#include "tools/ctl/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "tools/ctl/table.hpp"
#include "tools/ctl/terminal.hpp"

namespace mydocker::ctl {

namespace {

bool can_erase_lines() {
    const char* term = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

std::size_t columns() {
    constexpr std::size_t usual = 80;
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col : usual;
}

}  // namespace

Progress::Progress(Text text) : text_(std::move(text)), works_(can_erase_lines()) {
    if (!works_) next_ = Clock::time_point::max();
}

Progress::~Progress() {
    if (!shown_) return;
    try {
        write_error("\r\x1b[K");
    } catch (const std::exception&) {  // the terminal has gone, and the line with it
    }
}

void Progress::tick() {
    const auto now = Clock::now();
    if (now < next_) return;
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - begin_);
    next_ = begin_ + waited + std::chrono::seconds{1};
    // A line as wide as the terminal would wrap, and could not be erased.
    write_error("\r\x1b[K" + cut(printable(text_(waited)), columns() - 1));
    shown_ = true;
}

std::string waiting_text(const std::string& what, std::chrono::seconds waited) {
    return what + " … " + std::to_string(waited.count()) + " s";
}

std::string stopping_text(const std::string& what, std::chrono::seconds waited,
                          std::chrono::seconds grace) {
    const std::string text = waiting_text(what, waited);
    if (grace <= std::chrono::seconds::zero()) return text;
    if (waited > grace) return text + ", killed";
    return text + ", SIGKILL in " + std::to_string((grace - waited).count()) + " s";
}

}  // namespace mydocker::ctl
