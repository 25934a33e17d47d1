// What the live view knows: a row a container, made of the ticks of GET /v1/stats, in an order and
// behind a filter, with one of them selected. Pure; the clock is an argument.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/watch/host.hpp"

namespace mydocker::ctl::watch {

using Clock = std::chrono::steady_clock;

inline constexpr std::size_t most_samples = 20;  // of a small graph

struct Row {
    std::string id, name, state, reason;
    std::int64_t restarts = 0;
    std::optional<Clock::time_point> next_start;  // while it waits
    std::optional<double> cpu;                    // percent of one CPU
    std::vector<double> history;                  // of cpu, the newest last; < 0: none
    std::optional<std::uint64_t> memory, memory_max;
    Pressure pressure;
};

struct Totals {
    std::map<std::string, std::size_t> states;
    std::size_t containers = 0;
    double cpu = 0;
    std::uint64_t memory = 0;
};

enum class Order : std::uint8_t { name, cpu, memory, state };
std::string_view name_of(Order order);
Order next(Order order);

// What it is doing and why, or what comes next and when.
std::string story(const Row& row, Clock::time_point now);

class Model {
public:
    // One tick; false, and nothing changes, where it is not one.
    bool take(const nlohmann::json& tick, Clock::time_point now);

    void set_order(Order order);
    Order order() const { return order_; }
    void set_filter(std::string part_of_name);
    const std::string& filter() const { return filter_; }

    // Those that pass the filter, in order. Valid until the next change.
    const std::vector<const Row*>& rows() const { return shown_; }
    bool knows() const { return knows_; }  // there has been a tick
    const Totals& totals() const { return totals_; }
    const Row* find(const std::string& id) const;
    bool has_waiting() const { return totals_.states.contains("waiting"); }

    // The selection stays with its container through ticks and orders; where that is gone, it stays
    // at its place.
    std::size_t selected() const { return selected_; }
    const Row* selected_row() const { return shown_.empty() ? nullptr : shown_[selected_]; }
    void move(std::ptrdiff_t by);
    void move_to(std::size_t index);
    // The first row to show where there is room for so many: the selected one is among them, and
    // the view moves no more than it must.
    std::size_t first_shown(std::size_t room);

private:
    void arrange();

    std::map<std::string, Row> all_;  // by id
    std::vector<const Row*> shown_;
    Totals totals_;
    bool knows_ = false;
    Order order_ = Order::name;
    std::string filter_;
    std::string selected_id_;
    std::size_t selected_ = 0;
    std::size_t first_ = 0;
};

}  // namespace mydocker::ctl::watch
