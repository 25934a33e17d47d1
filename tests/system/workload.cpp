// See workload.hpp.
#include "tests/system/workload.hpp"

namespace mydocker::tests {

using nlohmann::json;

namespace {

// CRI lines: time, stream, F or P, text. P: no newline was there.
void split_log(const std::string& log, Result& result) {
    for (const std::string& line : lines_of(log)) {
        const std::size_t stream = line.find(' ') + 1;
        const std::size_t flag = line.find(' ', stream) + 1;
        std::string& text = line.compare(stream, 6, "stdout") == 0 ? result.out : result.err;
        text += line.substr(flag + 2);
        if (line[flag] == 'F') text += '\n';
    }
}

}  // namespace

Result run_to_end(const Daemon& daemon, const json& container, const std::string& name) {
    const auto call = [&](const char* method, const std::string& path, const std::string& body) {
        return daemon.api(method, "/v1/containers" + path, body, 120s);
    };
    const auto failure = [](const Daemon::Reply& reply) {
        const json error = json::parse(reply.body, nullptr, false);
        if (!error.is_object()) return Result{125, "", "no answer: " + reply.body};
        return Result{error.value("exit_code", 125), "", error.value("error", reply.body)};
    };
    const json request = {{"name", name}, {"container", container}};
    const Daemon::Reply created = call("POST", "", request.dump());
    if (created.status != 201) return failure(created);
    const Daemon::Reply started = call("POST", "/" + name + "/start", "");
    Result result;
    if (started.status == 200) {
        const Daemon::Reply waited = call("POST", "/" + name + "/wait", "");
        const json outcome = json::parse(waited.body, nullptr, false);
        if (outcome.is_object() && outcome.value("exit_code", json()).is_number())
            result.status = outcome["exit_code"];
        else
            result.err = "wait: " + waited.body;
        split_log(call("GET", "/" + name + "/logs", "").body, result);
    } else {
        result = failure(started);
    }
    const Daemon::Reply removed = call("DELETE", "/" + name, "");
    if (removed.status != 204) result = {125, "", "remove: " + removed.body};
    return result;
}

Result run_script(const Daemon& daemon, const std::string& script, json keys) {
    keys["command"] = {"/bin/sh", "-c", script};
    return run_to_end(daemon, keys);
}

}  // namespace mydocker::tests
