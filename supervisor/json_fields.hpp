// Reading and writing the fields of state on disk. A reader is strict: a field that is missing, of
// another type or beyond its range throws std::runtime_error that names it, and no conversion of a
// hostile number is undefined. What is written is always within what is read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "supervisor/attempt.hpp"
#include "supervisor/foreign_version.hpp"

namespace mydocker::supervisor::fields {

using nlohmann::json;

// Of monotonic times and of durations, 146 years: the sum of two is no overflow.
inline constexpr std::int64_t longest_ns = (std::int64_t{1} << 62) - 1;
inline constexpr std::int64_t longest_us = longest_ns / 1000;
// Of a text for people, in bytes; what is longer is written cut off.
inline constexpr std::size_t longest_text = 2048;

inline const json& at(const json& object, const char* key) {
    if (!object.is_object()) throw std::runtime_error("it is no JSON object");
    const auto found = object.find(key);
    if (found == object.end()) throw std::runtime_error("it has no " + std::string(key));
    return *found;
}

template <class Integer>
Integer in_range(const json& value, const std::string& what,
                 Integer lowest = std::numeric_limits<Integer>::min(),
                 Integer highest = std::numeric_limits<Integer>::max()) {
    if (!value.is_number_integer()) throw std::runtime_error(what + " is no whole number");
    const auto fits = [&](auto number) {
        return std::cmp_greater_equal(number, lowest) && std::cmp_less_equal(number, highest);
    };
    if (value.is_number_unsigned() ? !fits(value.get<std::uint64_t>())
                                   : !fits(value.get<std::int64_t>()))
        throw std::runtime_error(what + " is " + value.dump() + ", and not from " +
                                 std::to_string(lowest) + " to " + std::to_string(highest));
    return value.get<Integer>();
}

template <class Integer>
Integer whole(const json& object, const char* key,
              Integer lowest = std::numeric_limits<Integer>::min(),
              Integer highest = std::numeric_limits<Integer>::max()) {
    return in_range<Integer>(at(object, key), "its " + std::string(key), lowest, highest);
}

inline bool flag(const json& object, const char* key) {
    const json& value = at(object, key);
    if (!value.is_boolean())
        throw std::runtime_error("its " + std::string(key) + " is neither true nor false");
    return value.get<bool>();
}

inline const std::string& text(const json& object, const char* key) {
    const json& value = at(object, key);
    if (!value.is_string()) throw std::runtime_error("its " + std::string(key) + " is no text");
    return value.get_ref<const std::string&>();
}

inline const json& array(const json& object, const char* key) {
    const json& value = at(object, key);
    if (!value.is_array()) throw std::runtime_error("its " + std::string(key) + " is no list");
    return value;
}

// Of an enumeration whose values count from 0 and whose name() is "?" beyond the last.
template <class Enum>
Enum named(const json& object, const char* key) {
    const std::string& wanted = text(object, key);
    for (std::uint8_t each = 0; name(Enum{each}) != "?"; ++each)
        if (name(Enum{each}) == wanted) return Enum{each};
    throw std::runtime_error("its " + std::string(key) + " is unknown");
}

inline WallTime wall_time(const json& object, const char* key) {
    return WallTime(WallTime::duration(whole<std::int64_t>(object, key)));
}
inline std::int64_t put(WallTime time) { return time.time_since_epoch().count(); }

inline Time monotonic(const json& value, const std::string& what) {
    return Time(std::chrono::nanoseconds(in_range<std::int64_t>(value, what, 0, longest_ns)));
}
inline std::int64_t put(Time time) {
    return std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, longest_ns);
}

// Microseconds.
inline config::Duration duration(const json& object, const char* key) {
    return config::Duration(whole<std::int64_t>(object, key, 0, longest_us));
}
inline std::int64_t put(config::Duration duration) {
    return std::clamp<std::int64_t>(duration.count(), 0, longest_us);
}

// Never within a character.
inline std::string put(std::string_view text) {
    std::size_t size = std::min(text.size(), longest_text);
    while (size > 0 && size < text.size() && (text[size] & 0xC0) == 0x80) --size;
    return std::string(text.substr(0, size));
}

// Bytes that are no UTF-8, of a path say, are written as U+FFFD.
inline std::string dump(const json& object, int indent = -1) {
    return object.dump(indent, ' ', false, json::error_handler_t::replace);
}

inline void check_version(const json& object, int known) {
    const json& version = at(object, "version");
    if (!version.is_number_integer()) throw std::runtime_error("its version is no whole number");
    if (version != known)
        throw ForeignVersion("it is of version " + version.dump() + ", and this mydockerd reads " +
                             std::to_string(known));
}

}  // namespace mydocker::supervisor::fields
