// Commands for the supervisor as a whole: up, down, reload, config, daemon, version.
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "config/load.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

namespace {

std::string joined(const Json& list) {
    std::string text;
    if (!list.is_array()) return text;
    for (const Json& item : list) {
        text += (text.empty() ? "" : ", ") +
                (item.is_string() ? item.get<std::string>() : compact(item));
    }
    return text;
}

const std::vector<Column>& change_columns() {
    static const std::vector<Column> columns = {
        {{"CONTAINER"}, [](const Json& c, const Output&) { return Cell{text_of(c, "container")}; }},
        {{"ACTION"}, [](const Json& c, const Output&) { return Cell{text_of(c, "action")}; }},
        {{"KEYS", true},
         [](const Json& c, const Output&) { return Cell{joined(c.value("keys", Json::array()))}; }},
        {{"REASON", true}, [](const Json& c, const Output&) { return Cell{text_of(c, "reason")}; }},
    };
    return columns;
}

// 1 when something could not be changed, as with other commands for many containers.
int show_changes(const Context& context, const Json& answer, const char* nothing) {
    const Json changes =
        answer.is_object() ? answer.value("changes", Json::array()) : Json::array();
    const bool failed = std::any_of(changes.begin(), changes.end(), [](const Json& change) {
        return change.is_object() && change.value("failed", false);
    });
    if (context.output.quiet) return failed ? 1 : 0;
    if (changes.empty() && context.output.wants_table()) {
        write_out(std::string(nothing) + '\n');
        return 0;
    }
    show_records(context.output, {changes.begin(), changes.end()}, change_columns());
    return failed ? 1 : 0;
}

std::string names_body(const Arguments& arguments) {
    return compact(Json{{"names", arguments.operands}});
}

int up(const Context& context) {
    const Json answer = context.client.call_patiently(
        {"POST", "/v1/up", names_body(context.arguments)},
        [](auto waited) { return waiting_text("starting what is wanted", waited); });
    return show_changes(context, answer, "nothing to start");
}

int down(const Context& context) {
    // Done when the last container has ended.
    const Json answer = context.client.call_patiently(
        {"POST", "/v1/down", names_body(context.arguments)},
        [](auto waited) { return waiting_text("stopping containers", waited); });
    return show_changes(context, answer, "nothing to stop");
}

int reload(const Context& context) {
    const bool plan = context.arguments.has("plan");
    const Json answer = context.client.call_patiently(
        {"POST", plan ? "/v1/reload?plan=1" : "/v1/reload", {}},
        [](auto waited) { return waiting_text("reloading the host file", waited); });
    return show_changes(context, answer, "nothing changes");
}

// Prints every problem; true when the file can be used.
bool check(const config::Loaded& loaded) {
    for (const config::Problem& problem : loaded.problems) {
        write_error((problem.fatal ? "" : "warning: ") + printable(config::to_string(problem)) +
                    '\n');
    }
    return loaded.ok();
}

int config_check(const Context& context) {
    const std::string& file = context.arguments.operands.front();
    const config::Loaded loaded = config::load_file(file);
    if (!check(loaded)) return 1;
    const std::size_t count = loaded.host.containers.size();
    if (!context.output.quiet) {
        write_out(file + ": ok, " + std::to_string(count) +
                  (count == 1 ? " container\n" : " containers\n"));
    }
    return 0;
}

// Every value that holds, defaults too, as JSON with the keys of a host file.
int config_show(const Context& context) {
    const config::Loaded loaded = config::load_file(context.arguments.operands.front());
    if (!check(loaded)) return 1;
    write_out(config::dump_json(loaded.host, true) + '\n');
    return 0;
}

int daemon_info(const Context& context) {
    const Json info = context.client.call({"GET", "/v1/info", {}});
    if (show_formatted(context.output, info)) return 0;
    std::string text;
    for (const auto& [key, value] : info.items()) {
        std::string shown = value.is_array() ? joined(value) : text_of(info, key);
        if (value.is_object()) shown = counts_text(value);
        std::string label = key;
        std::replace(label.begin(), label.end(), '_', ' ');
        label.resize(std::max<std::size_t>(label.size() + 1, 21), ' ');
        text += label + printable(shown.empty() ? "-" : shown) + '\n';
    }
    write_out(text);
    return 0;
}

// Returns when the next mydockerd answers. A connection made meanwhile waits for it.
int daemon_upgrade(const Context& context) {
    const Json before = context.client.call({"GET", "/v1/version", {}});
    context.client.call({"POST", "/v1/upgrade", {}});
    const auto began = std::chrono::steady_clock::now();
    constexpr auto patience = std::chrono::seconds{30};
    for (;;) {
        const auto waited = std::chrono::steady_clock::now() - began;
        try {
            const Json now = context.client.call({"GET", "/v1/version", {}});
            if (now["pid"] != before["pid"]) {
                if (show_formatted(context.output, now) || context.output.quiet) return 0;
                const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(waited);
                write_out("mydockerd " + text_of(before, "version") + " (pid " +
                          text_of(before, "pid") + ") was replaced by " + text_of(now, "version") +
                          " (pid " + text_of(now, "pid") + "), which answered after " +
                          std::to_string(pause.count()) + "ms\n");
                return 0;
            }
        } catch (const Failure&) {  // cut off in the middle
            if (waited > patience) throw;
        }
        if (waited > patience)
            throw Failure("mydockerd did not leave; its log says why", 125);
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
}

// Returns when the daemon has ended, not when it has begun to: scripts clean up after us.
int daemon_shutdown(const Context& context) {
    const Json version = context.client.call({"GET", "/v1/version", {}});
    const auto pid = number_of(version, "keeper_pid", 0);  // it ends last
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
    context.client.call({"POST", "/v1/shutdown", {}});
    // Without the process in sight (another pid namespace) there is nothing to wait for.
    Progress progress([](auto waited) {
        return waiting_text("stopping every container, then mydockerd", waited);
    });
    pollfd ended{process.get(), POLLIN, 0};
    constexpr int second = 1000;
    while (process.get() >= 0 && ::poll(&ended, 1, second) <= 0) progress.tick();
    return 0;
}

int version(const Context& context) {
    Json versions = {{"client", {{"version", MYDOCKER_VERSION}, {"api", protocol::api_version}}}};
    std::string trouble;
    int exit_code = 0;
    try {
        versions["daemon"] = context.client.call({"GET", "/v1/version", {}});
    } catch (const Failure& failure) {
        trouble = failure.what();
        exit_code = failure.exit_code();
    }
    if (!show_formatted(context.output, versions)) {
        std::string text = "mydocker-ctl " MYDOCKER_VERSION "\n";
        if (trouble.empty())
            text += "mydockerd    " + text_of(versions["daemon"], "version") + '\n';
        write_out(text);
    }
    if (!trouble.empty()) throw Failure(trouble, exit_code);
    return 0;
}

}  // namespace

std::vector<Command> daemon_commands() {
    const auto command = [](std::string_view name, std::string_view operands,
                            std::string_view summary, int (*perform)(const Context&)) {
        return Command{.group = "Supervisor",
                       .name = name,
                       .operands = operands,
                       .summary = summary,
                       .perform = perform};
    };
    Command up_command = command("up", "[NAME...]", "start what the host file wants", up);
    Command down_command = command("down", "[NAME...]", "stop containers of the host file", down);
    for (Command* one : {&up_command, &down_command}) {
        one->most_operands = unlimited;
        one->shows_records = one->can_be_quiet = true;
    }
    Command reload_command = command("reload", "", "read the host file again", reload);
    reload_command.options = {{"--plan", "", "only show what would change"}};
    reload_command.shows_records = reload_command.can_be_quiet = true;
    Command check_command =
        command("config check", "FILE", "find all problems of a host file", config_check);
    check_command.least_operands = check_command.most_operands = 1;
    check_command.can_be_quiet = true;
    Command show_command =
        command("config show", "FILE", "all values of a host file, defaults too", config_show);
    show_command.least_operands = show_command.most_operands = 1;
    Command info_command =
        command("daemon info", "", "paths, cgroup, controllers, counts", daemon_info);
    Command version_command = command("version", "", "of this program and the daemon", version);
    info_command.shows_records = version_command.shows_records = true;
    return {
        up_command,
        down_command,
        reload_command,
        check_command,
        show_command,
        info_command,
        command("daemon upgrade", "",
                "let the mydockerd that is installed now take over from the one that runs",
                daemon_upgrade),
        command("daemon shutdown", "", "stop every container and end mydockerd", daemon_shutdown),
        version_command};
}

}  // namespace mydocker::ctl
