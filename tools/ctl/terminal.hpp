// Where output goes: its width, whether it may be coloured, and writing that notices a reader who
// has gone. Nothing else in the client touches descriptors 1 and 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mydocker::ctl {

struct Terminal {
    bool colour = false;     // a terminal, and NO_COLOR is not set
    std::size_t width = 0;   // in columns; 0: unlimited
    std::size_t height = 0;  // in lines; 0: no terminal
};

// Looks at standard output, COLUMNS, NO_COLOR and TERM.
Terminal look_at_terminal();

enum class Colour : std::uint8_t { none, green, yellow, red, bold, faint };
std::string paint(std::string_view text, Colour colour, const Terminal& terminal);

// Writes everything to descriptor 1 or 2. Throws ReaderGone on EPIPE, Failure for other errors.
void write_out(std::string_view text);
void write_error(std::string_view text);

// Control characters (escape sequences of a hostile command line among them) made visible.
std::string printable(std::string_view text);

}  // namespace mydocker::ctl
