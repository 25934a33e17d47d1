// Commands that do one thing to each of several containers: they go on after an error, like
// docker, print each name that is done, and exit 1 where one was not.
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "config/scalar.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/wait_result.hpp"

namespace mydocker::ctl {

namespace {

void report(const std::string& name, const std::string& failure) {
    write_error("mydocker-ctl: " + printable(name + ": " + failure) + '\n');
}

// `target` is the part after the container's path: "start", "stop?timeout=10"; "" for itself.
int for_each_container(const Context& context, const char* method, const std::string& action,
                       const std::string& query = {}, const WaitingText& text = {}) {
    const std::vector<std::string>& names = context.arguments.operands;
    std::vector<Request> requests;
    for (const std::string& name : names) {
        requests.push_back({.method = method,
                            .target = container_path(name, action) + query,
                            .harmless = action == "stop"});
    }
    int exit_code = 0;
    const std::vector<Outcome> outcomes = perform_all(context.client, requests, text);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!outcomes[i].failure.empty()) {
            report(names[i], outcomes[i].failure);
            exit_code = 1;
        } else if (!context.output.quiet) {
            write_out(names[i] + '\n');
        }
    }
    return exit_code;
}

// Docker's bare seconds or a duration; nullopt where the container's own holds.
std::optional<std::chrono::seconds> timeout_of(const Arguments& arguments) {
    if (!arguments.has("timeout")) return std::nullopt;
    const std::string text = arguments.get("timeout");
    const bool bare = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    const auto parsed = config::parse_duration(bare ? text + 's' : text);
    if (!parsed) throw UsageError("--timeout: '" + text + "' is not a number of seconds");
    return std::chrono::ceil<std::chrono::seconds>(*parsed);
}

std::string timeout_query(const Arguments& arguments) {
    const auto timeout = timeout_of(arguments);
    return timeout ? "?timeout=" + std::to_string(timeout->count()) : std::string{};
}

WaitingText waiting_for(const Context& context, const std::string& doing) {
    return [&context, doing](std::size_t index, std::chrono::seconds waited) {
        return waiting_text(doing + context.arguments.operands[index], waited);
    };
}

// How long a container may take to stop by itself; 0 where nobody says.
std::chrono::seconds grace_of(const Client& client, const std::string& name) {
    try {
        const Json container =
            client.call({"GET", container_path(name), {}}, std::chrono::seconds{1});
        const auto grace = config::parse_duration(
            text_of(container.value("config", Json::object()), "stop_grace_period"));
        if (grace) return std::chrono::ceil<std::chrono::seconds>(*grace);
    } catch (const std::exception&) {  // the line does without it
    }
    return {};
}

// Asks for the grace period only once there is a line to show.
WaitingText stopping(const Context& context) {
    std::map<std::size_t, std::chrono::seconds> graces;
    return [&context, graces](std::size_t index, std::chrono::seconds waited) mutable {
        const std::string& name = context.arguments.operands[index];
        const auto given = timeout_of(context.arguments);
        if (!graces.contains(index)) {
            graces[index] = given ? *given : grace_of(context.client, name);
        }
        return stopping_text("stopping " + name, waited, graces[index]);
    };
}

int start(const Context& context) {
    return for_each_container(context, "POST", "start", {}, waiting_for(context, "starting "));
}

int stop(const Context& context) {
    return for_each_container(context, "POST", "stop", timeout_query(context.arguments),
                              stopping(context));
}

int restart(const Context& context) {
    return for_each_container(context, "POST", "restart", timeout_query(context.arguments),
                              waiting_for(context, "restarting "));
}

int kill(const Context& context) {
    const std::string signal = context.arguments.get("signal");
    if (signal.empty()) return for_each_container(context, "POST", "kill");
    if (!config::parse_signal(signal)) throw UsageError("--signal: there is no '" + signal + '\'');
    return for_each_container(context, "POST", "kill", "?signal=" + percent_encode(signal));
}

int pause(const Context& context) { return for_each_container(context, "POST", "pause"); }

int unpause(const Context& context) { return for_each_container(context, "POST", "unpause"); }

int remove(const Context& context) {
    return for_each_container(context, "DELETE", "",
                              context.arguments.has("force") ? "?force=1" : "",
                              waiting_for(context, "removing "));
}

// The attempt that is waited for: should mydockerd go away and come back, it may have ended, and
// the container run again, before we ask again. "" where that is not known.
std::string attempt_query(const Client& client, const std::string& name, bool next_exit) {
    try {
        const Json container = client.call({"GET", container_path(name), {}});
        const auto last = number_of(container, "attempt", 0);
        const bool has_ended = !text_of(container, "finished").empty();
        const auto awaited = last + (next_exit && has_ended ? 1 : 0);
        return awaited > 0 ? "attempt=" + std::to_string(awaited) : "";
    } catch (const Refused&) {  // the wait itself will be told the same
        return {};
    }
}

// Prints each workload's exit code; our own is the first that is not 0.
// For one that runs or is paused there is no code: its state is printed.
int wait(const Context& context) {
    const std::string condition = context.arguments.get("condition");
    const bool has_code = condition != "running" && condition != "paused";
    std::vector<Request> requests;
    for (const std::string& name : context.arguments.operands) {
        std::string query = condition.empty() ? "" : "?condition=" + percent_encode(condition);
        const std::string attempt =
            has_code ? attempt_query(context.client, name, condition == "next-exit") : "";
        if (!attempt.empty()) query += (query.empty() ? '?' : '&') + attempt;
        requests.push_back(
            {.method = "POST", .target = container_path(name, "wait") + query, .harmless = true});
    }
    int exit_code = 0;
    const std::vector<Outcome> outcomes = perform_all(context.client, requests);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        WaitResult result{outcomes[i].exit_code, outcomes[i].failure};
        const bool answered = result.failure.empty();
        if (answered && !has_code) {
            write_out(text_of(outcomes[i].exchange->answer(), "state") + '\n');
            continue;
        }
        if (answered) result = read_wait_result(outcomes[i].exchange->answer());
        if (!result.failure.empty()) report(context.arguments.operands[i], result.failure);
        if (answered) write_out(std::to_string(result.exit_code) + '\n');
        if (exit_code == 0) exit_code = result.exit_code;
    }
    return exit_code;
}

}  // namespace

WaitResult read_wait_result(const Json& answer) {
    const auto code = number_of(answer, "exit_code", -1);
    if (code >= 0) return {static_cast<int>(code), {}};
    const std::string reason = text_of(answer, "reason");
    return {static_cast<int>(number_of(answer, "client_exit_code", protocol::exit_daemon)),
            reason.empty() ? "it never ran" : reason};
}

std::vector<Command> container_commands() {
    const Option timeout{"-t,--timeout", "SECONDS", "then kill it (default: the container's own)"};
    const auto command = [](std::string_view name, std::string_view summary,
                            int (*perform)(const Context&), std::vector<Option> options = {}) {
        return Command{.group = "Containers",
                       .name = name,
                       .operands = "NAME [NAME...]",
                       .summary = summary,
                       .perform = perform,
                       .options = std::move(options),
                       .least_operands = 1,
                       .most_operands = unlimited,
                       .can_be_quiet = true};
    };
    std::vector<Command> commands = {
        command("start", "start containers", start),
        command("stop", "stop containers: signal, grace period, kill", stop, {timeout}),
        command("restart", "stop and start containers", restart, {timeout}),
        command("kill", "send a signal", kill,
                {{"-s,--signal", "SIGNAL", "which one (default SIGKILL)"}}),
        command("pause", "freeze all processes of containers", pause),
        command("unpause", "let them go on", unpause),
        command("rm", "remove containers that have ended", remove,
                {{"-f,--force", "", "stop them first"}}),
        command("wait", "wait until containers rest, print their exit codes", wait,
                {{"--condition", "CONDITION",
                  "or until: running, paused, next-exit, removed (default: stopped)"}}),
    };
    commands.back().can_be_quiet = false;
    return commands;
}

}  // namespace mydocker::ctl
