// What the benchmark says: one line a program and measure, as an aligned table for people and as
// JSON for programs. Ratios are of medians: above 1 is dearer, or slower, than the floor.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/measure.hpp"

namespace mydocker::bench {

struct Line {
    std::string measure;  // "start to exec"
    std::string recipe;
    std::string program;  // "floor", "mydockerd", "crun"
    std::string unit;
    Samples samples;
    std::optional<double> ratio = {};  // to the floor
    std::optional<double> aim = {};    // of the ratio; or of the value, where there is no floor
};

double quantile(Samples samples, double share);

class Report {
public:
    enum class Better : unsigned char { less, more };

    void add(const std::string& measure, Recipe recipe, const Pair& pair, const std::string& unit,
             Better better = Better::less, std::optional<double> aim = std::nullopt);
    // One program against the floor's samples of the same measure, which stand there already.
    void add_peer(const std::string& measure, Recipe recipe, const std::string& program,
                  const Samples& samples);
    void add_value(const std::string& measure, const std::string& program, double value,
                   const std::string& unit, std::optional<double> aim = std::nullopt);
    void add_samples(const std::string& measure, const std::string& program, const Samples& samples,
                     const std::string& unit, std::optional<double> aim = std::nullopt);
    void note(const std::string& text) { notes_.push_back(text); }

    std::string table() const;
    std::string json() const;

private:
    std::vector<Line> lines_;
    std::vector<std::string> notes_;
};

}  // namespace mydocker::bench
