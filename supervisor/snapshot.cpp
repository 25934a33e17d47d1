// See snapshot.hpp.
#include "supervisor/snapshot.hpp"

#include "supervisor/json_fields.hpp"
#include "supervisor/stored_attempt.hpp"

namespace mydocker::supervisor {

using nlohmann::json;

namespace {

json as_json(const LivingExec& exec) {
    json command = json::array();
    for (const std::string& word : exec.command) command.push_back(fields::put(word));
    return {{"number", exec.number},
            {"command", std::move(command)},
            {"user", fields::put(exec.user)},
            {"terminal", exec.terminal},
            {"detached", exec.detached}};
}

LivingExec exec_from(const json& object) {
    LivingExec exec;
    exec.number = fields::whole<std::uint32_t>(object, "number");
    for (const json& word : fields::array(object, "command")) {
        if (!word.is_string()) throw std::runtime_error("a word of its command is no text");
        exec.command.push_back(word.get<std::string>());
    }
    exec.user = fields::text(object, "user");
    exec.terminal = fields::flag(object, "terminal");
    exec.detached = fields::flag(object, "detached");
    return exec;
}

LivingAttempt living_from(const json& object) {
    LivingAttempt living;
    living.attempt = attempt_from(fields::at(object, "attempt"));
    for (const json& exec : fields::array(object, "execs")) living.execs.push_back(exec_from(exec));
    return living;
}

}  // namespace

std::string encode(const Snapshot& snapshot, const std::string& boot_id) {
    json object = {{"version", snapshot_version},
                   {"boot_id", boot_id},
                   {"id", snapshot.id},
                   {"wish", name(snapshot.wish)},
                   {"failed", snapshot.failed},
                   {"reason", fields::put(snapshot.reason)},
                   {"attempts", snapshot.attempts},
                   {"restarts", snapshot.restarts},
                   {"history", as_json(snapshot.history)}};
    if (snapshot.next_start) object["next_start_ns"] = fields::put(*snapshot.next_start);
    if (snapshot.stop_by) object["stop_by_ns"] = fields::put(*snapshot.stop_by);
    object["may_be_frozen"] = snapshot.may_be_frozen;
    if (!snapshot.leaving.empty()) object["leaving"] = snapshot.leaving;
    for (const Record& record : snapshot.unrecorded) object["unrecorded"].push_back(encode(record));
    if (snapshot.living) {
        const LivingAttempt& living = *snapshot.living;
        object["living"] = {{"attempt", as_json(living.attempt)}, {"execs", json::array()}};
        for (const LivingExec& exec : living.execs)
            object["living"]["execs"].push_back(as_json(exec));
    }
    return fields::dump(object) + "\n";
}

std::optional<Snapshot> decode_snapshot(std::string_view text, std::string_view boot_id) {
    const json object = json::parse(text);
    fields::check_version(object, snapshot_version);
    if (fields::text(object, "boot_id") != boot_id) return std::nullopt;
    Snapshot snapshot;
    snapshot.id = fields::text(object, "id");
    snapshot.wish = fields::named<Wish>(object, "wish");
    snapshot.failed = fields::flag(object, "failed");
    snapshot.reason = fields::text(object, "reason");
    snapshot.attempts = fields::whole<std::uint64_t>(object, "attempts");
    snapshot.restarts = fields::whole<std::uint64_t>(object, "restarts");
    snapshot.history = history_from(fields::at(object, "history"));
    if (object.contains("next_start_ns"))
        snapshot.next_start = fields::monotonic(object.at("next_start_ns"), "its next_start_ns");
    if (object.contains("stop_by_ns"))
        snapshot.stop_by = fields::monotonic(object.at("stop_by_ns"), "its stop_by_ns");
    // One that does not say is of a mydockerd before this field.
    snapshot.may_be_frozen =
        !object.contains("may_be_frozen") || fields::flag(object, "may_be_frozen");
    if (object.contains("leaving")) snapshot.leaving = fields::text(object, "leaving");
    if (object.contains("unrecorded"))
        for (const json& record : fields::array(object, "unrecorded")) {
            if (!record.is_string()) throw std::runtime_error("one of its unrecorded is no text");
            snapshot.unrecorded.push_back(decode_record(record.get<std::string>()));
        }
    if (object.contains("living")) snapshot.living = living_from(object.at("living"));
    return snapshot;
}

}  // namespace mydocker::supervisor
