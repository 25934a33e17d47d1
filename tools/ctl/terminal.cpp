// See terminal.hpp.
#include "tools/ctl/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

namespace {

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EPIPE) {
            throw ReaderGone();
        } else if (errno == EAGAIN) {  // somebody made the terminal non-blocking
            pollfd waiting{fd, POLLOUT, 0};
            ::poll(&waiting, 1, -1);
        } else if (errno != EINTR) {
            throw Failure(std::string("cannot write the output: ") + std::strerror(errno));
        }
    }
}

}  // namespace

Terminal look_at_terminal() {
    Terminal terminal;
    winsize size{};
    const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
    if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
        std::from_chars(columns, columns + std::strlen(columns), terminal.width);
    }
    if (is_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        if (terminal.width == 0) terminal.width = size.ws_col;
        terminal.height = size.ws_row;
    }
    const char* term = std::getenv("TERM");
    const bool is_dumb = term != nullptr && std::string_view(term) == "dumb";
    terminal.colour = is_terminal && !is_set("NO_COLOR") && !is_dumb;
    return terminal;
}

std::string paint(std::string_view text, Colour colour, const Terminal& terminal) {
    const char* code = nullptr;
    switch (colour) {
        case Colour::none: break;
        case Colour::green: code = "32"; break;
        case Colour::yellow: code = "33"; break;
        case Colour::red: code = "31"; break;
        case Colour::bold: code = "1"; break;
        case Colour::faint: code = "2"; break;
    }
    if (code == nullptr || !terminal.colour) return std::string(text);
    return std::string("\x1b[") + code + 'm' + std::string(text) + "\x1b[0m";
}

void write_out(std::string_view text) { write_all(STDOUT_FILENO, text); }
void write_error(std::string_view text) { write_all(STDERR_FILENO, text); }

std::string printable(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string shown;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            shown += "\\n";
        } else if (c == '\t') {
            shown += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            shown += {'\\', 'x', hex[byte >> 4U], hex[byte & 15U]};
        } else {
            shown += c;
        }
    }
    return shown;
}

}  // namespace mydocker::ctl
