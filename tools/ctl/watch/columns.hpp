// The columns of the live view: which of them a screen of some width has room for, and what stands
// in them. Pure.
#pragma once

#include <string>
#include <vector>

#include "tools/ctl/watch/model.hpp"
#include "tools/ctl/watch/text.hpp"

namespace mydocker::ctl::watch {

enum class Field : std::uint8_t {
    name,
    state,
    story,
    restarts,
    cpu,
    graph,
    memory,
    gauge,
    pressure
};

struct Place {
    Field field;
    std::size_t width;
};

// From left to right, one blank between two; together no wider than the screen. `longest_name`: of
// those there are. What is missing on a narrow screen is in detail_of().
std::vector<Place> places(std::size_t width, std::size_t longest_name);

std::string heading_of(const Place& place);
// Exactly as wide as its place.
std::string cell_of(const Row& row, const Place& place, Clock::time_point now, bool blocks);

// One container in a line: its whole story, memory and pressure.
std::string detail_of(const Row& row, Clock::time_point now);
std::string host_line(const Host& host, const std::string& version);
std::string totals_line(const Model& model);

}  // namespace mydocker::ctl::watch
