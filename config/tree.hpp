// What TOML and JSON have in common, as one tree of values that know where they stood. Parsing ends
// here, so that one reader of keys serves host files and the control API alike. Private to config/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/problem.hpp"

namespace mydocker::config {

inline constexpr std::size_t most_bytes = std::size_t{1} << 20U;  // of a host file
// More than the control API takes: what it accepted must be readable again from the store.
inline constexpr std::size_t most_json_bytes = std::size_t{8} << 20U;
inline constexpr unsigned most_levels = 32;

struct Place {
    unsigned line = 0;  // 1-based; 0: unknown, as in JSON
    unsigned column = 0;
};

// A value that no key of a host file takes: JSON's null, TOML's dates and times.
struct Foreign {
    std::string_view kind;
};

struct Member;

struct Node {
    using Array = std::vector<Node>;
    using Table = std::vector<Member>;  // each key once
    Place place;
    std::variant<Foreign, bool, std::int64_t, double, std::string, Array, Table> value;
};

struct Member {
    std::string key;
    Place place;  // of the key
    Node value;
};

// "a string", "an integer", "a table": for "expected …, got …".
std::string_view kind_of(const Node& node);

// nullptr: not a table, or no such key.
const Member* find(const Node& table, std::string_view key);

// The root is a table; nullopt: `problems` says why. Both refuse more than most_bytes
// (JSON: most_json_bytes), most_levels, a key given twice and anything that is not UTF-8. Problems
// of JSON stand in no file.
std::optional<Node> parse_toml(std::string_view text, const std::string& file,
                               std::vector<Problem>& problems);
std::optional<Node> parse_json(std::string_view text, std::vector<Problem>& problems);

// Throws std::exception for text that is not UTF-8, which neither parser lets through.
std::string to_json(const Node& node, bool pretty);

// Where `text` goes deeper than most_levels, by brackets or by dotted keys; run before parse_toml's
// parser, which would build such a tree and then exhaust the stack.
std::optional<Place> too_deep(std::string_view text);

}  // namespace mydocker::config
