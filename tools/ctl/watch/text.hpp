// Texts of the live view that fit a place on the screen: cut to a width, sizes in four characters,
// bars and small graphs. Pure but for the locale, which says what a character is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mydocker::ctl::watch {

enum class Align : std::uint8_t { left, right };

// Exactly `width` columns of the terminal, padded with blanks or cut and marked. Control characters
// become visible first, and what this locale cannot show becomes '?'.
std::string fit(std::string_view text, std::size_t width, Align align = Align::left);

// A line in rows of at most `width` columns, at least one; characters are shown as by fit().
std::vector<std::string> wrap(std::string_view text, std::size_t width);

// The newest values at the right end, each a block as high as its part of the highest, which counts
// as `least_top` at least; below 0 is a gap. `blocks`: U+2581 and up, otherwise ASCII.
std::string sparkline(std::span<const double> values, std::size_t width, double least_top,
                      bool blocks);
// `fraction` of the width filled; more than 1 is 1.
std::string bar(double fraction, std::size_t width, bool blocks);

std::string compact_size(std::uint64_t bytes);                    // "0B", "1.5M", "12G": at most 5
std::string compact_percent(const std::optional<double>& value);  // "0", "0.5", "12", "100"; "-"
// What is left until something: "now", "3s", "1m30s"; whole seconds, rounded up.
std::string countdown(std::int64_t milliseconds);

// A line of a workload's for reading: colours and cursor movements are left out, tabs are blanks.
std::string plain_line(std::string_view text);

}  // namespace mydocker::ctl::watch
