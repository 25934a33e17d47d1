// What each key of the host file takes when it changes, as one table of rows; the plan follows from
// it. env_file is part of `environment` by the time a Container is compared.
#include "supervisor/reload_plan.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace mydocker::supervisor {

using config::Container;
using config::Daemon;
using config::Limits;
using config::Logging;
using config::Restart;

namespace {

// One key; `differs` compares the field that the row's member pointers lead to.
template <class T>
struct Row {
    std::string_view key;
    ChangeKind kind;
    bool (*differs)(const T& before, const T& after);
};

// clang-format off
template <auto... path, class T>
bool differs(const T& before, const T& after) {
    return (before .* ... .* path) != (after .* ... .* path);
}
// clang-format on

using enum ChangeKind;

// In the order of the manual.
// clang-format off
constexpr auto container_rows = std::to_array<Row<Container>>({
    {"rootfs",                     recreate, differs<&Container::rootfs>},
    {"command",                    recreate, differs<&Container::command>},
    {"environment",                recreate, differs<&Container::environment>},
    {"working_dir",                recreate, differs<&Container::working_dir>},
    {"user",                       recreate, differs<&Container::user>},
    {"hostname",                   recreate, differs<&Container::hostname>},
    {"volumes",                    recreate, differs<&Container::volumes>},
    {"tmpfs",                      recreate, differs<&Container::tmpfs>},
    {"read_only",                  recreate, differs<&Container::read_only>},
    {"network",                    recreate, differs<&Container::network>},
    {"cap_add",                    recreate, differs<&Container::cap_add>},
    {"cap_drop",                   recreate, differs<&Container::cap_drop>},
    {"privileged",                 recreate, differs<&Container::privileged>},
    {"init",                       recreate, differs<&Container::init>},
    {"tty",                        recreate, differs<&Container::tty>},
    {"stdin_open",                 recreate, differs<&Container::stdin_open>},
    {"ulimits",                    recreate, differs<&Container::ulimits>},
    {"oom_score_adj",              recreate, differs<&Container::oom_score_adj>},
    {"shm_size",                   recreate, differs<&Container::shm_size>},
    {"mem_limit",                  live,     differs<&Container::limits, &Limits::mem_limit>},
    {"mem_high",                   live,     differs<&Container::limits, &Limits::mem_high>},
    {"memswap_limit",              live,     differs<&Container::limits, &Limits::memswap_limit>},
    {"cpus",                       live,     differs<&Container::limits, &Limits::cpus>},
    {"cpu_shares",                 live,     differs<&Container::limits, &Limits::cpu_shares>},
    {"cpuset",                     live,     differs<&Container::limits, &Limits::cpuset>},
    {"pids_limit",                 live,     differs<&Container::limits, &Limits::pids_limit>},
    {"oom_policy",                 live,     differs<&Container::oom_policy>},
    {"stop_signal",                live,     differs<&Container::stop_signal>},
    {"stop_grace_period",          live,     differs<&Container::stop_grace_period>},
    {"start_timeout",              next,     differs<&Container::start_timeout>},
    {"autostart",                  next,     differs<&Container::autostart>},
    {"restart.policy",             live,     differs<&Container::restart, &Restart::policy>},
    {"restart.on",                 live,     differs<&Container::restart, &Restart::on>},
    {"restart.delay",              live,     differs<&Container::restart, &Restart::delay>},
    {"restart.multiplier",         live,     differs<&Container::restart, &Restart::multiplier>},
    {"restart.max_delay",          live,     differs<&Container::restart, &Restart::max_delay>},
    {"restart.jitter",             live,     differs<&Container::restart, &Restart::jitter>},
    {"restart.reset_after",        live,     differs<&Container::restart, &Restart::reset_after>},
    {"restart.attempts",           live,     differs<&Container::restart, &Restart::attempts>},
    {"restart.interval",           live,     differs<&Container::restart, &Restart::interval>},
    {"restart.on_limit",           live,     differs<&Container::restart, &Restart::on_limit>},
    {"restart.success_exit_codes", live,
     differs<&Container::restart, &Restart::success_exit_codes>},
    {"restart.prevent_on",         live,     differs<&Container::restart, &Restart::prevent_on>},
    {"restart.force_on",           live,     differs<&Container::restart, &Restart::force_on>},
    {"restart.on_failure",         live,     differs<&Container::restart, &Restart::on_failure>},
    {"restart.prearm",             next,     differs<&Container::restart, &Restart::prearm>},
    {"logging.max_size",           live,     differs<&Container::logging, &Logging::max_size>},
    {"logging.max_files",          live,     differs<&Container::logging, &Logging::max_files>},
});

constexpr auto daemon_rows = std::to_array<Row<Daemon>>({
    {"socket",                refuse, differs<&Daemon::socket>},
    {"data_root",             refuse, differs<&Daemon::data_root>},
    {"state_dir",             refuse, differs<&Daemon::state_dir>},
    {"cgroup_parent",         refuse, differs<&Daemon::cgroup_parent>},
    {"limits",                live,   differs<&Daemon::limits>},
    {"max_concurrent_starts", live,   differs<&Daemon::max_concurrent_starts>},
    {"shutdown_timeout",      live,   differs<&Daemon::shutdown_timeout>},
});
// clang-format on

// The compiler's count of a struct's fields: a structured binding must name them all. One that
// fails to compile here has a new field: name it, and give it a row above.
[[maybe_unused]] auto fields(const Container& container) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A,
                 B] = container;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, A,
                    B);
}
[[maybe_unused]] auto fields(const Limits& limits) {
    const auto& [a, b, c, d, e, f, g] = limits;
    return std::tie(a, b, c, d, e, f, g);
}
[[maybe_unused]] auto fields(const Restart& restart) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = restart;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
}
[[maybe_unused]] auto fields(const Logging& logging) {
    const auto& [a, b] = logging;
    return std::tie(a, b);
}
[[maybe_unused]] auto fields(const Daemon& daemon) {
    const auto& [a, b, c, d, e, f, g] = daemon;
    return std::tie(a, b, c, d, e, f, g);
}
template <class T>
constexpr std::size_t field_count = std::tuple_size_v<decltype(fields(std::declval<T>()))>;

// `name`, `limits`, `restart` and `logging` themselves have no row.
static_assert(container_rows.size() == field_count<Container> - 4 + field_count<Limits> +
                                           field_count<Restart> + field_count<Logging>,
              "a field of config::Container has no row, or two");
static_assert(daemon_rows.size() == field_count<Daemon>,
              "a field of config::Daemon has no row, or two");

template <class T, std::size_t count>
std::vector<KeyChange> compare_rows(const std::array<Row<T>, count>& rows, const T& before,
                                    const T& after) {
    std::vector<KeyChange> changes;
    for (const Row<T>& row : rows)
        if (row.differs(before, after)) changes.push_back({std::string{row.key}, row.kind});
    return changes;
}

std::vector<std::string> keys_of(const std::vector<KeyChange>& changes, ChangeKind kind) {
    std::vector<std::string> keys;
    for (const KeyChange& change : changes)
        if (change.kind == kind) keys.push_back(change.key);
    return keys;
}

std::string joined(const std::vector<std::string>& keys) {
    std::string text;
    for (const std::string& key : keys) text += (text.empty() ? "" : ", ") + key;
    return text;
}

void plan_daemon(const Daemon& before, const Daemon& after, std::vector<Change>& plan) {
    const auto changes = compare_rows(daemon_rows, before, after);
    if (const auto now = keys_of(changes, live); !now.empty())
        plan.push_back({live, "", now, "changed now: " + joined(now)});
    if (const auto never = keys_of(changes, refuse); !never.empty())
        plan.push_back(
            {refuse, "", never, "not changed, restart mydockerd to change it: " + joined(never)});
}

}  // namespace

std::vector<Change> plan_reload(const Daemon& old_daemon,
                                const std::map<std::string, Container>& old_containers,
                                const config::Host& fresh) {
    std::vector<Change> plan;
    plan_daemon(old_daemon, fresh.daemon, plan);

    const auto first_container = static_cast<std::ptrdiff_t>(plan.size());
    for (const auto& [name, before] : old_containers) {
        const auto after = fresh.containers.find(name);
        if (after == fresh.containers.end()) {
            plan.push_back({remove, name, {}, "no longer in the file: stopped and removed"});
        } else if (const auto changes = compare(before, after->second); !changes.empty()) {
            plan.push_back(change_of(name, changes));
        }
    }
    for (const auto& [name, container] : fresh.containers)
        if (!old_containers.contains(name)) plan.push_back({add, name, {}, "new in the file"});
    std::sort(plan.begin() + first_container, plan.end(),
              [](const Change& a, const Change& b) { return a.container < b.container; });
    return plan;
}

std::vector<KeyChange> compare(const Container& before, const Container& after) {
    return compare_rows(container_rows, before, after);
}

Change change_of(const std::string& name, const std::vector<KeyChange>& changes) {
    const auto anew = keys_of(changes, recreate);
    const auto now = keys_of(changes, live);
    const auto later = keys_of(changes, next);

    Change change{live, name, {}, {}};
    for (const KeyChange& one : changes) change.keys.push_back(one.key);
    if (!anew.empty()) {
        change.kind = recreate;
        change.reason = "stopped and started anew: " + joined(anew) + " changed";
        return change;
    }
    if (now.empty()) change.kind = next;
    if (!now.empty()) change.reason = "changed without touching the workload: " + joined(now);
    if (!later.empty())
        change.reason += (now.empty() ? "" : "; ") + ("from the next start on: " + joined(later));
    return change;
}

std::string_view name(ChangeKind kind) {
    switch (kind) {
        case add: return "add";
        case live: return "live";
        case next: return "next";
        case recreate: return "recreate";
        case remove: return "remove";
        case refuse: return "refuse";
    }
    return "?";
}

}  // namespace mydocker::supervisor
