// See model.hpp.
#include "tools/ctl/watch/model.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "tools/ctl/output.hpp"
#include "tools/ctl/watch/text.hpp"

namespace mydocker::ctl::watch {

using Json = nlohmann::json;

namespace {

std::optional<double> real(const Json& object, const char* key) {
    const auto it = object.find(key);
    return it != object.end() && it->is_number() ? std::optional(it->get<double>()) : std::nullopt;
}

std::optional<std::uint64_t> whole(const Json& object, const char* key) {
    const auto it = object.find(key);
    return it != object.end() && it->is_number() ? std::optional(it->get<std::uint64_t>())
                                                 : std::nullopt;
}

Pressure pressure_of(const Json& object) {
    const auto it = object.find("pressure");
    if (it == object.end() || !it->is_object()) return {};
    return {real(*it, "cpu"), real(*it, "memory"), real(*it, "io")};
}

void update(Row& row, const Json& container, Clock::time_point now) {
    row.name = text_of(container, "name");
    row.state = text_of(container, "state");
    row.reason = text_of(container, "reason");
    row.restarts = number_of(container, "restarts", 0);
    row.next_start.reset();
    const auto left = number_of(container, "next_start_ms", -1);
    if (left >= 0) row.next_start = now + std::chrono::milliseconds{left};
    row.cpu = real(container, "cpu_percent");
    row.memory = whole(container, "memory");
    row.memory_max = whole(container, "memory_max");
    row.pressure = pressure_of(container);
    // One that does not run uses nothing: the graph moves on, with a gap.
    row.history.push_back(row.cpu.value_or(-1));
    if (row.history.size() > most_samples) row.history.erase(row.history.begin());
}

// What asks for a look comes first.
std::size_t rank(const std::string& state) {
    constexpr std::array<std::string_view, 10> ranks{"unkillable", "failed",   "waiting",  "queued",
                                                     "starting",   "stopping", "cleaning", "paused",
                                                     "running",    "exited"};
    return static_cast<std::size_t>(std::find(ranks.begin(), ranks.end(), state) - ranks.begin());
}

}  // namespace

std::string_view name_of(Order order) {
    switch (order) {
        case Order::name: return "name";
        case Order::cpu: return "cpu";
        case Order::memory: return "memory";
        case Order::state: return "state";
    }
    return {};
}

Order next(Order order) {
    return order == Order::state ? Order::name : static_cast<Order>(static_cast<int>(order) + 1);
}

std::string story(const Row& row, Clock::time_point now) {
    if (!row.next_start) return row.reason;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*row.next_start - now).count();
    const std::string next = left <= 0 ? "starts again now" : "starts again in " + countdown(left);
    return row.reason.empty() ? next : next + ": " + row.reason;
}

bool Model::take(const Json& tick, Clock::time_point now) {
    const auto list = tick.is_object() ? tick.find("containers") : tick.end();
    if (list == tick.end() || !list->is_array()) return false;
    std::map<std::string, Row> before = std::exchange(all_, {});
    for (const Json& container : *list) {
        if (!container.is_object()) continue;
        const std::string id = text_of(container, "id");
        const auto known = before.find(id);
        Row& row = all_[id];
        if (known != before.end()) row = std::move(known->second);
        row.id = id;
        update(row, container, now);
    }
    totals_ = {};
    knows_ = true;
    for (const auto& [id, row] : all_) {
        ++totals_.containers;
        ++totals_.states[row.state];
        totals_.cpu += row.cpu.value_or(0);
        totals_.memory += row.memory.value_or(0);
    }
    arrange();
    return true;
}

void Model::arrange() {
    shown_.clear();
    for (const auto& [id, row] : all_)
        if (row.name.find(filter_) != std::string::npos) shown_.push_back(&row);
    std::sort(shown_.begin(), shown_.end(), [&](const Row* a, const Row* b) {
        if (order_ == Order::cpu && a->cpu != b->cpu) return a->cpu > b->cpu;
        if (order_ == Order::memory && a->memory != b->memory) return a->memory > b->memory;
        if (order_ == Order::state && rank(a->state) != rank(b->state))
            return rank(a->state) < rank(b->state);
        return a->name != b->name ? a->name < b->name : a->id < b->id;
    });
    for (std::size_t i = 0; i < shown_.size(); ++i)
        if (shown_[i]->id == selected_id_) return move_to(i);
    move_to(selected_);
}

void Model::set_order(Order order) {
    order_ = order;
    arrange();
}

void Model::set_filter(std::string part_of_name) {
    filter_ = std::move(part_of_name);
    arrange();
}

const Row* Model::find(const std::string& id) const {
    const auto it = all_.find(id);
    return it == all_.end() ? nullptr : &it->second;
}

void Model::move(std::ptrdiff_t by) {
    const auto wanted = static_cast<std::ptrdiff_t>(selected_) + by;
    move_to(wanted < 0 ? 0 : static_cast<std::size_t>(wanted));
}

void Model::move_to(std::size_t index) {
    selected_ = shown_.empty() ? 0 : std::min(index, shown_.size() - 1);
    if (!shown_.empty()) selected_id_ = shown_[selected_]->id;
}

std::size_t Model::first_shown(std::size_t room) {
    if (room == 0) return first_;
    const std::size_t last = shown_.size() > room ? shown_.size() - room : 0;
    first_ = std::min(first_, last);
    if (selected_ < first_) first_ = selected_;
    if (selected_ >= first_ + room) first_ = selected_ - room + 1;
    return first_;
}

}  // namespace mydocker::ctl::watch
