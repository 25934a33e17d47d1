// Limits, mounts and restart policies that contradict themselves. What cannot work is an error;
// what works otherwise than its author believes is a warning.
#include "config/check.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "config/fields.hpp"

namespace mydocker::config {

namespace {

template <class T>
bool contains(const std::vector<T>& values, const T& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

void check_memory(const Limits& limits, const Value& table) {
    const auto compare = [&](const char* key, std::optional<Bytes> value, bool wrong,
                             const char* word) {
        if (!value || !limits.mem_limit || !wrong) return;
        table.get(key)->problem(exact_size(*value) + " is " + word + " mem_limit, " +
                                exact_size(*limits.mem_limit));
    };
    compare("mem_high", limits.mem_high, limits.mem_high > limits.mem_limit, "above");
    const std::int64_t swap = limits.memswap_limit.value_or(-1);
    if (swap < 0) return;
    const auto total = static_cast<Bytes>(swap);
    compare("memswap_limit", total, total < limits.mem_limit.value_or(0), "below");
    if (!table.has("mem_limit")) {
        table.get("memswap_limit")
            ->problem("memory and swap together cannot be limited without `mem_limit`");
    }
}

// "/data//x/." and "/data/x" are one place.
std::string normal(const std::string& target) {
    std::string out = std::filesystem::path{target}.lexically_normal().string();
    while (out.size() > 1 && out.back() == '/') out.pop_back();
    return out;
}

void check_targets(const Container& container, const Value& table) {
    std::map<std::string, int> uses;
    for (const Volume& volume : container.volumes) ++uses[normal(volume.target)];
    for (const Tmpfs& tmpfs : container.tmpfs) ++uses[normal(tmpfs.target)];
    for (const auto& [target, count] : uses) {
        if (count < 2) continue;
        const auto volumes = table.get("volumes");
        const bool in_volumes = std::any_of(
            container.volumes.begin(), container.volumes.end(),
            [&target = target](const Volume& volume) { return normal(volume.target) == target; });
        (in_volumes && volumes ? *volumes : *table.get("tmpfs"))
            .problem(in_quotes(target) + " is mounted " + std::to_string(count) + " times");
    }
}

// A crash loop meets the limit only if all its restarts fall into one window, at its fastest:
// jitter may shorten every delay. (A run as long as reset_after starts the delays over; that is no
// loop.)
void check_window(const Restart& restart, const Value& table) {
    if (restart.attempts == 0 || restart.interval.count() == 0) return;
    const auto most = static_cast<double>(restart.max_delay.count());
    double delay = std::min(static_cast<double>(restart.delay.count()), most);
    double total = 0;
    for (unsigned attempt = 0; attempt < restart.attempts; ++attempt) {
        total += delay;
        delay = std::min(delay * restart.multiplier, most);
    }
    const double fastest = total * (1 - restart.jitter);
    if (fastest < static_cast<double>(restart.interval.count())) return;
    table.get("attempts")
        ->warning(std::to_string(restart.attempts) + " attempts in " +
                      format_duration(restart.interval) + " need " +
                      std::to_string(std::llround(total / 1e6)) +
                      " s of delays, so that a crash loop can never reach this limit",
                  "lengthen `interval`, or lower `attempts` or `max_delay`");
}

// Keys that do nothing because the policy restarts nothing, or restarts without end.
void check_policy(const Restart& restart, const Value& table) {
    const bool on_success = restart.policy == Policy::on_success;
    const bool on_failure = restart.policy != Policy::no && !on_success;
    const bool never = restart.policy == Policy::no && restart.force_on.empty();
    const std::string policy =
        "`policy` is \"" + std::string{on_success ? "on-success" : "no"} + "\"";
    if (const auto on = table.get("on"); on && !restart.on.empty()) {
        if (!on_failure) {
            on->warning("has no effect: " + policy + ", which restarts after no failure");
        } else if (restart.policy == Policy::on_abnormal) {
            for (const auto& [cause, word] : {std::pair{Cause::exit, "\"exit\""},
                                              std::pair{Cause::start_error, "\"start-error\""}}) {
                if (!contains(restart.on, cause)) continue;
                on->warning(std::string{word} +
                            " has no effect: \"on-abnormal\" does not cover it");
            }
        }
    }
    // Only what differs from its default: the canonical JSON spells every key out.
    const auto idle = [&](const char* key, bool differs, const std::string& why) {
        if (const auto value = table.get(key); value && differs) {
            value->warning("has no effect" + why);
        }
    };
    const Restart plain;
    if (never) {
        const std::string why = ": " + policy;
        idle("delay", restart.delay != plain.delay, why);
        idle("multiplier", restart.multiplier != plain.multiplier, why);
        idle("max_delay", restart.max_delay != plain.max_delay, why);
        idle("jitter", restart.jitter != plain.jitter, why);
        idle("reset_after", restart.reset_after != plain.reset_after, why);
        idle("attempts", restart.attempts != plain.attempts, why);
        idle("interval", restart.interval != plain.interval, why);
        idle("on_limit", restart.on_limit != plain.on_limit, why);
        idle("prevent_on", restart.prevent_on != plain.prevent_on, why);
        idle("prearm", restart.prearm != plain.prearm, why);
        return;
    }
    if (restart.attempts == 0) {
        idle("interval", restart.interval != plain.interval, " without `attempts`");
        idle("on_limit", restart.on_limit != plain.on_limit, " without `attempts`");
    } else if (restart.on_limit == OnLimit::delay && restart.interval.count() == 0) {
        table.get("on_limit")
            ->warning("there is no window to wait out, so that it waits for `max_delay`",
                      "set `interval`");
    }
    if (restart.delay > restart.max_delay) {
        const auto value = table.get("delay");
        (value ? *value : *table.get("max_delay"))
            .warning("`delay`, " + format_duration(restart.delay) + ", is cut to `max_delay`, " +
                     format_duration(restart.max_delay));
    }
}

void check_statuses(const Restart& restart, const Value& table) {
    const auto spelling = [](const Status& status) {
        return status.kind == Status::Kind::code ? std::to_string(status.number)
                                                 : signal_name(status.number);
    };
    for (const Status& status : restart.force_on) {
        if (contains(restart.prevent_on, status)) {
            table.get("force_on")
                ->warning(spelling(status) + " also stands in `prevent_on`, which is judged first");
        }
    }
}

}  // namespace

void check_container(const Container& container, const Value& table) {
    if (!table.has("command")) {
        table.problem("`command` is missing", R"(command = ["PROGRAM", "ARGUMENT", …])");
    }
    check_memory(container.limits, table);
    check_targets(container, table);
    const auto restart = table.get("restart");
    // Of a policy that could not be read, defaults stand in its place: nothing to warn of.
    if (!restart || restart->as<Node::Table>() == nullptr || restart->broken()) return;
    check_window(container.restart, *restart);
    check_policy(container.restart, *restart);
    check_statuses(container.restart, *restart);
}

void check_daemon(const Daemon& daemon, const Value& table) {
    constexpr std::string_view default_name = "/mydockerd.sock";
    if (!daemon.socket.empty() || !table.has("state_dir")) return;
    const std::string objection = socket_path(daemon.state_dir + std::string{default_name});
    if (!objection.empty()) {
        table.get("state_dir")
            ->problem("too long for the socket in it: " + objection, "set `socket` too");
    }
}

}  // namespace mydocker::config
