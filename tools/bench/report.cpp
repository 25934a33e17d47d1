// See report.hpp.
#include "tools/bench/report.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace mydocker::bench {

namespace {

std::string format(const char* pattern, double value) {
    char text[40];
    std::snprintf(text, sizeof text, pattern, value);
    return text;
}

std::string optional_number(const char* pattern, const std::optional<double>& value) {
    return value ? format(pattern, *value) : "";
}

double median(const Samples& samples) { return quantile(samples, 0.5); }

}  // namespace

double quantile(Samples samples, double share) {
    if (samples.empty()) return 0;
    const auto at = static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1));
    std::ranges::nth_element(samples, samples.begin() + static_cast<std::ptrdiff_t>(at));
    return samples[at];
}

void Report::add(const std::string& measure, Recipe recipe, const Pair& pair,
                 const std::string& unit, Better better, std::optional<double> aim) {
    const double ratio = better == Better::less ? median(pair.mydockerd) / median(pair.floor)
                                                : median(pair.floor) / median(pair.mydockerd);
    lines_.push_back({measure, name_of(recipe), "floor", unit, pair.floor});
    lines_.push_back({measure, name_of(recipe), "mydockerd", unit, pair.mydockerd, ratio, aim});
}

void Report::add_peer(const std::string& measure, Recipe recipe, const std::string& program,
                      const Samples& samples) {
    const auto floor = std::ranges::find_if(lines_, [&](const Line& line) {
        return line.measure == measure && line.recipe == name_of(recipe) && line.program == "floor";
    });
    if (floor == lines_.end()) return;
    const double ratio = median(samples) / median(floor->samples);
    lines_.push_back({measure, name_of(recipe), program, floor->unit, samples, ratio});
}

void Report::add_value(const std::string& measure, const std::string& program, double value,
                       const std::string& unit, std::optional<double> aim) {
    add_samples(measure, program, {value}, unit, aim);
}

void Report::add_samples(const std::string& measure, const std::string& program,
                         const Samples& samples, const std::string& unit,
                         std::optional<double> aim) {
    lines_.push_back({measure, "", program, unit, samples, std::nullopt, aim});
}

std::string Report::table() const {
    std::vector<std::vector<std::string>> rows = {
        {"MEASURE", "RECIPE", "PROGRAM", "MEDIAN", "P10", "P90", "UNIT", "X FLOOR", "AIM"}};
    for (const Line& line : lines_) {
        const bool many = line.samples.size() > 1;
        rows.push_back({line.measure, line.recipe, line.program,
                        format("%.0f", median(line.samples)),
                        many ? format("%.0f", quantile(line.samples, 0.1)) : "",
                        many ? format("%.0f", quantile(line.samples, 0.9)) : "", line.unit,
                        optional_number("%.2f", line.ratio), optional_number("%g", line.aim)});
    }
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (const auto& row : rows) {
        std::string out;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string blanks(widths[i] - row[i].size(), ' ');
            const bool number = i == 3 || i == 4 || i == 5 || i == 7 || i == 8;
            out += number ? blanks + row[i] : row[i] + blanks;
            out += "  ";
        }
        out.erase(out.find_last_not_of(' ') + 1);
        text += out + "\n";
    }
    for (const std::string& note : notes_) text += note + "\n";
    return text;
}

std::string Report::json() const {
    nlohmann::json list = nlohmann::json::array();
    for (const Line& line : lines_) {
        nlohmann::json each = {
            {"measure", line.measure},        {"recipe", line.recipe},
            {"program", line.program},        {"unit", line.unit},
            {"samples", line.samples.size()}, {"p10", quantile(line.samples, 0.1)},
            {"median", median(line.samples)}, {"p90", quantile(line.samples, 0.9)}};
        if (line.ratio) each["ratio_to_floor"] = *line.ratio;
        if (line.aim) each["aim"] = *line.aim;
        list.push_back(each);
    }
    return nlohmann::json{{"lines", list}, {"notes", notes_}}.dump(1) + "\n";
}

}  // namespace mydocker::bench
