// One thing that is wrong with a host file, where it stands and what to do about it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mydocker::config {

struct Problem {
    std::string file;   // "" for a request that came as JSON
    unsigned line = 0;  // 1-based; 0: the whole file
    unsigned column = 0;
    std::string key;    // "container.web.restart.delay"; "" for the whole file
    std::string what;   // "expected a duration such as \"10s\", got an integer"
    std::string hint;   // "did you mean `cpuset`?"; may be empty
    bool fatal = true;  // false: a warning, e.g. a limit that can never fire
    bool operator==(const Problem&) const = default;
};

// "web.toml:4:1: container.web.cpu_set: unknown key (did you mean `cpuset`?)"; a warning says so
// before its key. Always one line of printable text, whatever bytes the file holds.
std::string to_string(const Problem& problem);

// All of them, one a line, each line ended.
std::string to_string(const std::vector<Problem>& problems);

// Orders by file, line and column; of one place, in the order found.
void sort(std::vector<Problem>& problems);

// A value from a host file as a problem shows it: in double quotes, escaped, cut when long.
std::string in_quotes(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace mydocker::config
