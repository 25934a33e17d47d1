// See views.hpp.
#include "supervisor/api/views.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "config/scalar.hpp"
#include "runtime/limits.hpp"
#include "supervisor/log_format.hpp"
#include "supervisor/translate.hpp"

namespace mydocker::supervisor::api {

using nlohmann::json;

namespace {

template <class Duration>
long long milliseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::string time_or_empty(const std::optional<WallTime>& time) {
    return time ? format_time(*time) : "";
}

template <class Value>
json or_null(const std::optional<Value>& value) {
    return value ? json(*value) : json(nullptr);
}

std::string_view origin(const Container& container) {
    return container.stored().origin == Origin::file ? "file" : "client";
}

json attempts(const Container& container) {
    json list = json::array();
    for (const Attempt& attempt : container.ledger()) list.push_back(show(attempt));
    return list;
}

std::string what_next(const Container& container) {
    switch (container.state()) {
        case State::idle:
            return container.failed() ? "nothing, until somebody starts it or its settings change"
                                      : "nothing, until somebody starts it";
        case State::queued:
            return "it starts as soon as the host-wide start gate (max_concurrent_starts) has room";
        case State::building:
        case State::starting: return "its command is about to be executed";
        case State::running:
            return "when it ends, the policy decides: " + describe(container.config().restart);
        case State::freezing: return "all of its processes are about to stand still";
        case State::paused:
            return "nothing, until somebody unpauses it (mydocker-ctl unpause " + container.name() +
                   ") or stops it";
        case State::aborting:
        case State::stopping:
        case State::killing:
        case State::clearing:
            return container.wish() == Wish::down     ? "it comes to rest"
                   : container.wish() == Wish::bounce ? "it is started again"
                                                      : "when it has ended, the policy decides: " +
                                                            describe(container.config().restart);
        case State::unkillable: return "it is waited for; only the kernel can end it";
        case State::waiting:
        case State::arming:
        case State::armed: {
            return "it starts in " +
                   config::format_duration(
                       std::chrono::milliseconds(next_start_ms(container).value_or(0))) +
                   (container.state() == State::armed ? "; its init stands ready (prearm)" : "");
        }
    }
    return "";
}

}  // namespace

std::optional<int> exit_code(const Attempt& attempt) {
    if (!attempt.executed() || !attempt.ended()) return std::nullopt;
    if (attempt.ending.kind == Ending::Kind::unknown) return std::nullopt;
    return attempt.ending.kind == Ending::Kind::signal ? 128 + attempt.ending.number
                                                       : attempt.ending.number;
}

std::optional<long long> next_start_ms(const Container& container) {
    const auto next = container.next_start();
    if (!next) return std::nullopt;
    return std::max<long long>(0, milliseconds(*next - Clock::now()));
}

json show(const Attempt& attempt) {
    json object = {
        {"attempt", attempt.number},
        {"pid", attempt.pid},
        {"started", format_time(attempt.began)},
        {"ready", time_or_empty(attempt.ready_at)},
        {"finished", time_or_empty(attempt.ended_at)},
        {"exit_code", or_null(exit_code(attempt))},
        {"signal", attempt.observed.signal ? config::signal_name(*attempt.observed.signal) : ""},
        {"cause", result_of(attempt)},
        {"error", attempt.error},
        {"oom_kills", attempt.observed.oom_kills},
        {"memory_peak", or_null(attempt.memory_peak)},
        {"ran_ms", attempt.ended() ? milliseconds(attempt.ending.ready_for) : 0},
        {"verdict", nullptr},
        {"log", {{"file", attempt.log.file}, {"offset", attempt.log.offset}}}};
    if (!attempt.ended() && attempt.executed())
        object["ran_ms"] = milliseconds(Clock::now() - attempt.ready);
    if (attempt.judged)
        object["verdict"] = {{"restart", attempt.verdict.restart},
                             {"delay_ms", milliseconds(attempt.verdict.delay)},
                             {"rule", name(attempt.verdict.rule)},
                             {"reason", attempt.verdict.reason}};
    return object;
}

json summary(const Container& container) {
    const Attempt* last = container.last_attempt();
    const bool running =
        container.state() >= State::running && container.state() <= State::stopping;
    const bool alive = last != nullptr && !last->ended();
    return {
        {"id", container.id()},
        {"name", container.name()},
        {"state", shown_state(container)},
        {"reason", container.reason()},
        {"pid", alive ? last->pid : 0},
        {"command", container.config().command},
        {"origin", origin(container)},
        {"created", format_time(container.stored().created)},
        {"started", last != nullptr ? format_time(last->began) : ""},
        {"finished", last != nullptr ? time_or_empty(last->ended_at) : ""},
        {"exit_code", last != nullptr ? or_null(exit_code(*last)) : json(nullptr)},
        {"cause", last != nullptr ? result_of(*last) : ""},
        {"attempt", last != nullptr ? last->number : 0},
        {"restarts", container.restarts()},
        {"uptime_ms", running && last->executed() ? milliseconds(Clock::now() - last->ready) : 0},
        {"next_start_ms", or_null(next_start_ms(container))},
        {"desired", container.wish() == Wish::down ? "down" : "up"}};
}

json inspection(const Supervisor& supervisor, const Container& container) {
    json object = summary(container);
    object["config"] = json::parse(config::dump_json(container.config()));
    // What `update` changed beside the host file, until the file changes it.
    const std::string& amendment = container.stored().amendment;
    if (!amendment.empty()) object["updated"] = json::parse(amendment);
    object["cgroup"] = container.cgroup();
    object["limits"] = json::array();
    for (const auto& write :
         runtime::limit_writes(translate(container.config().limits, container.config().oom_policy)))
        object["limits"].push_back({{"file", write.file}, {"value", write.value}});
    object["warnings"] = container.warnings();
    object["log_directory"] = container.logs().directory().string();
    const auto directory = supervisor.services().store.directory(container.id());
    object["rootfs"] = container.config().rootfs.empty()
                           ? "the host's root, copy-on-write in " + (directory / "upper").string()
                           : container.config().rootfs;
    object["attempts"] = attempts(container);
    object["execs"] = json::array();
    for (const auto& exec : container.execs())
        if (!exec->ended())
            object["execs"].push_back({{"id", exec->id()},
                                       {"pid", exec->pid()},
                                       {"command", exec->request().command},
                                       {"user", exec->request().user},
                                       {"tty", exec->request().terminal},
                                       {"began", format_time(exec->began())}});
    return object;
}

json explanation(const Container& container) {
    return {{"name", container.name()},
            {"state", shown_state(container)},
            {"reason", container.reason()},
            {"next", what_next(container)},
            {"next_start_ms", or_null(next_start_ms(container))},
            {"desired", container.wish() == Wish::down ? "down" : "up"},
            {"policy", describe(container.config().restart)},
            {"warnings", container.warnings()},
            {"attempts", attempts(container)}};
}

json show(const JournalEntry& entry) {
    return {{"seq", entry.sequence},        {"time", format_time(entry.time)},
            {"container", entry.container}, {"id", entry.id},
            {"type", entry.type},           {"from", entry.from},
            {"state", entry.state},         {"attempt", entry.attempt},
            {"result", entry.result},       {"reason", entry.reason}};
}

json show(const std::vector<Change>& changes, bool applied) {
    json list = json::array();
    for (const Change& change : changes)
        list.push_back({{"container", change.container},
                        {"action", name(change.kind)},
                        {"keys", change.keys},
                        {"failed", change.failed},
                        {"reason", change.reason}});
    return {{"changes", list}, {"applied", applied}};
}

json information(const Supervisor& supervisor) {
    const Services& services = supervisor.services();
    json counts = {{"total", supervisor.containers().size()}};
    for (const auto& [name, container] : supervisor.containers()) {
        const std::string state(shown_state(*container));
        counts[state] = counts.value(state, 0) + 1;
    }
    json missing = json::array();
    for (const char* name : {"cpu", "cpuset", "memory", "pids"})
        if (!services.tree.controllers().contains(name)) missing.push_back(name);
    return {{"version", MYDOCKER_VERSION},
            {"pid", ::getpid()},
            {"socket", services.settings.socket},
            {"data_root", services.settings.data_root},
            {"state_dir", services.settings.state_dir},
            {"config", supervisor.config_path()},
            {"cgroup", services.tree.path().string()},
            {"controllers", services.tree.controllers()},
            {"missing_controllers", missing},
            {"limits",
             services.settings.limits == config::LimitsMode::required ? "required" : "best-effort"},
            {"max_concurrent_starts", services.settings.max_concurrent_starts},
            {"shutting_down", supervisor.shutting_down()},
            {"containers", counts},
            {"warnings", supervisor.warnings()},
            {"started", format_time(supervisor.booted_at())}};
}

json error_body(const Refusal& refusal) {
    json object = {{"error", refusal.text}, {"code", refusal.code}};
    if (refusal.exit_code != 0) object["exit_code"] = refusal.exit_code;
    if (!refusal.problems.empty()) {
        object["problems"] = json::array();
        for (const config::Problem& problem : refusal.problems)
            object["problems"].push_back(config::to_string(problem));
    }
    return object;
}

json outcome(const Container& container, const Attempt* last) {
    json object = {
        {"exit_code", nullptr}, {"state", shown_state(container)}, {"reason", container.reason()}};
    if (last == nullptr) return object;
    object["exit_code"] = or_null(exit_code(*last));
    if (last->ended() && !last->executed()) {
        object["client_exit_code"] = last->failed_exit_code;
        object["error"] = last->error;
    }
    return object;
}

}  // namespace mydocker::supervisor::api
