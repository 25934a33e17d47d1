// Lays rows of text out as an aligned table no wider than the terminal. Which columns there are and
// what stands in them is the caller's.
#pragma once

#include <string>
#include <vector>

#include "tools/ctl/terminal.hpp"

namespace mydocker::ctl {

struct Cell {
    std::string text;
    Colour colour = Colour::none;
};

struct TableColumn {
    std::string header;
    bool elastic = false;  // may be cut ("…") where the terminal is too narrow
};

// Elastic columns give way, the widest first, down to 8 characters; what still does not fit wraps.
std::string format_table(const std::vector<TableColumn>& columns,
                         const std::vector<std::vector<Cell>>& rows, const Terminal& terminal);

// At most `width` characters (code points); what is cut off is marked by "…".
std::string cut(const std::string& text, std::size_t width);
std::size_t display_width(std::string_view text);

}  // namespace mydocker::ctl
