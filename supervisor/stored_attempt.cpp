// See stored_attempt.hpp.
#include "supervisor/stored_attempt.hpp"

#include "supervisor/json_fields.hpp"

namespace mydocker::supervisor {

using nlohmann::json;

namespace {

json as_json(const Observed& observed) {
    json object = {{"executed", observed.executed},
                   {"start_timed_out", observed.start_timed_out},
                   {"oom_kills", observed.oom_kills},
                   {"oom_stopped", observed.oom_stopped}};
    if (observed.exit_code) object["exit_code"] = *observed.exit_code;
    if (observed.signal) object["signal"] = *observed.signal;
    return object;
}

Observed observed_from(const json& object) {
    Observed observed;
    observed.executed = fields::flag(object, "executed");
    observed.start_timed_out = fields::flag(object, "start_timed_out");
    observed.oom_kills = fields::whole<std::uint64_t>(object, "oom_kills");
    observed.oom_stopped = fields::flag(object, "oom_stopped");
    if (object.contains("exit_code"))
        observed.exit_code = fields::whole<int>(object, "exit_code", 0, 255);
    if (object.contains("signal")) observed.signal = fields::whole<int>(object, "signal", 1, 64);
    return observed;
}

json as_json(const Ending& ending) {
    json object = {{"kind", name(ending.kind)},
                   {"number", ending.number},
                   {"error", fields::put(ending.error)},
                   {"ended_ns", fields::put(ending.ended)},
                   {"ready_for_us", fields::put(ending.ready_for)}};
    if (ending.cause) object["cause"] = name(*ending.cause);
    return object;
}

Ending ending_from(const json& object) {
    Ending ending;
    ending.kind = fields::named<Ending::Kind>(object, "kind");
    ending.number = fields::whole<int>(object, "number", 0, 255);
    ending.error = fields::text(object, "error");
    ending.ended = fields::monotonic(fields::at(object, "ended_ns"), "its ended_ns");
    ending.ready_for = fields::duration(object, "ready_for_us");
    if (object.contains("cause")) ending.cause = fields::named<config::Cause>(object, "cause");
    return ending;
}

json as_json(const Verdict& verdict) {
    return {{"restart", verdict.restart},     {"delay_us", fields::put(verdict.delay)},
            {"rule", name(verdict.rule)},     {"failed", verdict.failed},
            {"shut_down", verdict.shut_down}, {"reason", fields::put(verdict.reason)}};
}

Verdict verdict_from(const json& object) {
    Verdict verdict;
    verdict.restart = fields::flag(object, "restart");
    verdict.delay = fields::duration(object, "delay_us");
    verdict.rule = fields::named<Rule>(object, "rule");
    verdict.failed = fields::flag(object, "failed");
    verdict.shut_down = fields::flag(object, "shut_down");
    verdict.reason = fields::text(object, "reason");
    return verdict;
}

}  // namespace

json as_json(const Attempt& attempt) {
    using std::chrono::nanoseconds;
    json object = {{"number", attempt.number},
                   {"pid", attempt.pid},
                   {"began_ns", fields::put(attempt.began)},
                   {"ready_ns", fields::put(attempt.ready)},
                   {"paused_ns", fields::put(Time(attempt.paused_for))},
                   {"observed", as_json(attempt.observed)},
                   {"failed_exit_code", attempt.failed_exit_code},
                   {"oom_baseline", attempt.oom_baseline},
                   {"log", {{"file", attempt.log.file}, {"offset", attempt.log.offset}}}};
    if (attempt.ready_at) object["ready_at_ns"] = fields::put(*attempt.ready_at);
    if (attempt.ended_at) object["ended_at_ns"] = fields::put(*attempt.ended_at);
    if (!attempt.error.empty()) object["error"] = fields::put(attempt.error);
    if (attempt.memory_peak) object["memory_peak"] = *attempt.memory_peak;
    if (attempt.judged) {
        object["ending"] = as_json(attempt.ending);
        object["verdict"] = as_json(attempt.verdict);
    }
    return object;
}

Attempt attempt_from(const json& object) {
    Attempt attempt;
    attempt.number = fields::whole<std::uint64_t>(object, "number");
    attempt.pid = fields::whole<pid_t>(object, "pid", 0);
    attempt.began = fields::wall_time(object, "began_ns");
    attempt.ready = fields::monotonic(fields::at(object, "ready_ns"), "its ready_ns");
    attempt.paused_for =
        fields::monotonic(fields::at(object, "paused_ns"), "its paused_ns").time_since_epoch();
    attempt.observed = observed_from(fields::at(object, "observed"));
    attempt.failed_exit_code = fields::whole<int>(object, "failed_exit_code", 0, 255);
    attempt.oom_baseline = fields::whole<std::uint64_t>(object, "oom_baseline");
    const json& log = fields::at(object, "log");
    attempt.log = {fields::whole<std::uint64_t>(log, "file"),
                   fields::whole<std::uint64_t>(log, "offset")};
    if (object.contains("ready_at_ns")) attempt.ready_at = fields::wall_time(object, "ready_at_ns");
    if (object.contains("ended_at_ns")) attempt.ended_at = fields::wall_time(object, "ended_at_ns");
    if (object.contains("error")) attempt.error = fields::text(object, "error");
    if (object.contains("memory_peak"))
        attempt.memory_peak = fields::whole<std::uint64_t>(object, "memory_peak");
    attempt.judged = object.contains("verdict");
    if (attempt.judged) {
        attempt.ending = ending_from(fields::at(object, "ending"));
        attempt.verdict = verdict_from(object.at("verdict"));
    }
    return attempt;
}

json as_json(const History& history) {
    json restarts = json::array();
    const std::size_t kept = std::min(history.restarts.size(), restarts_kept);
    for (auto each = history.restarts.end() - static_cast<std::ptrdiff_t>(kept);
         each != history.restarts.end(); ++each)
        restarts.push_back(fields::put(*each));
    return {{"consecutive", history.consecutive}, {"restarts_ns", std::move(restarts)}};
}

History history_from(const json& object) {
    History history;
    history.consecutive = fields::whole<unsigned>(object, "consecutive");
    const json& restarts = fields::array(object, "restarts_ns");
    if (restarts.size() > restarts_kept) throw std::runtime_error("its restarts_ns are too many");
    for (const json& restart : restarts)
        history.restarts.push_back(fields::monotonic(restart, "one of its restarts_ns"));
    return history;
}

std::string encode(const Record& record) {
    if (!record.attempt.judged || !record.attempt.ended())
        throw std::logic_error("an attempt that has not ended is no record");
    json object = as_json(record.attempt);
    object["version"] = record_version;
    object["history"] = as_json(record.history);
    return fields::dump(object);
}

Record decode_record(std::string_view text) {
    const json object = json::parse(text);
    fields::check_version(object, record_version);
    Record record{attempt_from(object), history_from(fields::at(object, "history"))};
    if (!record.attempt.judged || !record.attempt.ended())
        throw std::runtime_error("it has no end or no verdict");
    return record;
}

}  // namespace mydocker::supervisor
