// See metrics.hpp.
#include "supervisor/api/metrics.hpp"

#include <chrono>

#include "supervisor/loop_turns.hpp"

namespace mydocker::supervisor::api {

namespace {

std::string metric(const std::string& name, const std::string& type, const std::string& help) {
    return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

std::string lone_metric(const std::string& name, const std::string& type, const std::string& help,
                        const std::string& value) {
    return metric(name, type, help) + name + " " + value + "\n";
}

std::string seconds(std::chrono::nanoseconds duration) {
    return std::to_string(std::chrono::duration<double>(duration).count());
}

std::string loop_metrics() {
    const LoopTurns& turns = loop_turns();
    return lone_metric("mydocker_loop_turns_total", "counter",
                       "Handlers that mydockerd's loop has run.", std::to_string(turns.count)) +
           lone_metric("mydocker_loop_slow_turns_total", "counter",
                       "Those that took more than 20 ms.", std::to_string(turns.slow_count)) +
           lone_metric("mydocker_loop_longest_turn_seconds", "gauge", "The longest of them.",
                       seconds(turns.longest)) +
           lone_metric(
               "mydocker_loop_busiest_turn_seconds", "gauge",
               "The most CPU time that one of them took; what the longest took beyond that, "
               "it waited for the kernel or for a CPU.",
               seconds(turns.busiest));
}

}  // namespace

void Metrics::add(const Container& container) {
    ++states_[shown_state(container)];
    const std::string label = "{name=\"" + container.name() + "\"} ";
    restarts_ +=
        "mydocker_container_restarts_total" + label + std::to_string(container.restarts()) + "\n";
    up_ += "mydocker_container_up" + label + (container.running() ? "1" : "0") + "\n";
}

std::string Metrics::text() const {
    std::string text = metric("mydocker_containers", "gauge", "Containers by state.");
    for (const auto& [state, count] : states_)
        text += "mydocker_containers{state=\"" + std::string(state) + "\"} " +
                std::to_string(count) + "\n";
    text +=
        metric("mydocker_container_up", "gauge", "Whether the container's workload runs.") + up_;
    text += metric("mydocker_container_restarts_total", "counter",
                   "Restarts since mydockerd started.") +
            restarts_;
    return text + loop_metrics();
}

}  // namespace mydocker::supervisor::api
