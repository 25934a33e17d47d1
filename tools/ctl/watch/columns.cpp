// See columns.hpp.
#include "tools/ctl/watch/columns.hpp"

#include <algorithm>

namespace mydocker::ctl::watch {

namespace {

constexpr std::size_t least_story = 18;

// "0 12 0": processor, memory, io.
std::string pressure_text(const Pressure& pressure) {
    return fit(compact_percent(pressure.cpu), 3, Align::right) + ' ' +
           fit(compact_percent(pressure.memory), 3, Align::right) + ' ' +
           fit(compact_percent(pressure.io), 3, Align::right);
}

bool has_any(const Pressure& pressure) { return pressure.cpu || pressure.memory || pressure.io; }

std::string pressure_words(const Pressure& pressure) {
    return "pressure cpu " + compact_percent(pressure.cpu) + " mem " +
           compact_percent(pressure.memory) + " io " + compact_percent(pressure.io);
}

std::string memory_text(const Row& row) {
    if (!row.memory) return "-";
    const std::string used = compact_size(*row.memory);
    return row.memory_max ? used + '/' + compact_size(*row.memory_max) : used;
}

}  // namespace

std::vector<Place> places(std::size_t width, std::size_t longest_name) {
    std::vector<Place> chosen{{Field::name, std::clamp<std::size_t>(longest_name, 8, 16)},
                              {Field::state, 10}};
    std::size_t used = chosen[0].width + 1 + chosen[1].width;
    if (used > width) return {{Field::name, width}};
    // What matters most is given room first, as long as enough is left for the story.
    const std::vector<Place> wishes = {{Field::cpu, 5},      {Field::memory, 11},
                                       {Field::restarts, 4}, {Field::graph, 8},
                                       {Field::gauge, 6},    {Field::pressure, 11}};
    for (const Place& wish : wishes) {
        if (used + 1 + wish.width + 1 + least_story > width) break;
        chosen.push_back(wish);
        used += 1 + wish.width;
    }
    std::size_t left = width > used + 1 ? width - used - 1 : 0;
    // Then what can be longer grows, the story most of all.
    const auto grow = [&](Field field, std::size_t most) {
        const auto place = std::find_if(chosen.begin(), chosen.end(),
                                        [&](const Place& each) { return each.field == field; });
        if (place == chosen.end() || left <= 2 * least_story || place->width >= most) return;
        const std::size_t more = std::min(most - place->width, left - 2 * least_story);
        place->width += more;
        left -= more;
    };
    grow(Field::name, std::min<std::size_t>(longest_name, 32));
    grow(Field::graph, most_samples);
    grow(Field::gauge, 10);
    if (left > 0) chosen.push_back({Field::story, left});
    std::sort(chosen.begin(), chosen.end(),
              [](const Place& a, const Place& b) { return a.field < b.field; });
    return chosen;
}

std::string heading_of(const Place& place) {
    switch (place.field) {
        case Field::name: return fit("NAME", place.width);
        case Field::state: return fit("STATE", place.width);
        case Field::story:
            return fit(place.width < 26 ? "REASON, NEXT" : "REASON, OR WHAT COMES NEXT",
                       place.width);
        case Field::restarts: return fit("RST", place.width, Align::right);
        case Field::cpu: return fit("CPU%", place.width, Align::right);
        case Field::graph: return fit("", place.width);
        case Field::memory: return fit("MEM/LIMIT", place.width, Align::right);
        case Field::gauge: return fit("", place.width);
        case Field::pressure: return fit("PSI c m  io", place.width);
    }
    return {};
}

std::string cell_of(const Row& row, const Place& place, Clock::time_point now, bool blocks) {
    const std::size_t width = place.width;
    switch (place.field) {
        case Field::name: return fit(row.name, width);
        case Field::state: return fit(row.state, width);
        case Field::story: return fit(story(row, now), width);
        case Field::restarts: return fit(std::to_string(row.restarts), width, Align::right);
        case Field::cpu: return fit(compact_percent(row.cpu), width, Align::right);
        case Field::graph: return sparkline(row.history, width, 100, blocks);
        case Field::memory: return fit(memory_text(row), width, Align::right);
        case Field::gauge:
            if (!row.memory || row.memory_max.value_or(0) == 0) return fit("", width);
            return bar(static_cast<double>(*row.memory) / static_cast<double>(*row.memory_max),
                       width, blocks);
        case Field::pressure:
            return fit(has_any(row.pressure) ? pressure_text(row.pressure) : "", width);
    }
    return {};
}

std::string detail_of(const Row& row, Clock::time_point now) {
    std::string text = row.name + ": " + row.state;
    const std::string why = story(row, now);
    if (!why.empty()) text += ", " + why;
    if (row.memory) text += "; memory " + memory_text(row);
    if (has_any(row.pressure)) text += "; " + pressure_words(row.pressure);
    return text;
}

std::string host_line(const Host& host, const std::string& version) {
    std::string text = "mydockerd " + version;
    if (host.cpus > 0) text += "  host: " + std::to_string(host.cpus) + " CPUs";
    if (host.cpu) text += ' ' + compact_percent(host.cpu) + '%';
    if (!host.load.empty()) text += ", load " + host.load;
    if (host.memory && host.memory_max) {
        text += ", memory " + compact_size(*host.memory) + '/' + compact_size(*host.memory_max);
    }
    if (has_any(host.pressure)) text += ", " + pressure_words(host.pressure);
    return text;
}

std::string totals_line(const Model& model) {
    const Totals& totals = model.totals();
    std::string text = std::to_string(totals.containers) +
                       (totals.containers == 1 ? " container" : " containers") + " by " +
                       std::string(name_of(model.order()));
    if (!model.filter().empty()) text += ", with \"" + model.filter() + '"';
    const char* separator = ": ";
    for (const auto& [state, count] : totals.states) {
        text += separator + std::to_string(count) + ' ' + state;
        separator = ", ";
    }
    text += "; CPU " + compact_percent(totals.cpu) + '%';
    return totals.memory > 0 ? text + ", memory " + compact_size(totals.memory) : text;
}

}  // namespace mydocker::ctl::watch
