// The lines of a log that is being looked at: the last ones, in bounded memory, and which of them
// are on the screen. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/cri.hpp"

namespace mydocker::ctl::watch {

enum class LineKind : std::uint8_t { out, err, note };

class LogLines {
public:
    static constexpr std::size_t most_lines = 5000;
    static constexpr std::size_t most_bytes = 8UL * 1024 * 1024;
    static constexpr std::size_t longest = 16UL * 1024;  // of a line; the rest of it is left out

    // Text of the workload, in pieces of any size.
    void add(LogStream stream, std::string_view text);
    void note(const std::string& text);  // a line of ours
    void clear();

    struct Shown {
        std::string text;
        LineKind kind;
    };
    // What a screen of this size shows, from the top: long lines take several rows.
    std::vector<Shown> page(std::size_t rows, std::size_t columns) const;

    bool follows() const { return !last_; }
    void scroll(std::ptrdiff_t lines, std::size_t rows, std::size_t columns);
    void to_begin(std::size_t rows, std::size_t columns);
    void to_end() { last_.reset(); }
    std::size_t size() const { return lines_.size(); }

private:
    struct Line {
        std::string text;
        LineKind kind;
        bool open;  // its newline has not come yet
    };
    void push(Line line);
    std::size_t end() const { return last_.value_or(lines_.size()); }
    std::size_t least_end(std::size_t rows, std::size_t columns) const;

    std::deque<Line> lines_;
    std::size_t bytes_ = 0;
    std::optional<std::size_t> last_;  // one past the last line shown; none: the newest
};

}  // namespace mydocker::ctl::watch
