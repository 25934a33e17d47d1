// Commands about one container's make: update, rename, top.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/scalar.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/processes.hpp"
#include "tools/ctl/run_options.hpp"
#include "tools/ctl/watch/watch.hpp"

namespace mydocker::ctl {

namespace {

// "none" lifts a limit, or makes a setting what it is where nobody sets it.
int update(const Context& context) {
    const Json patch = update_request(context.arguments, real_surroundings());
    if (patch.empty()) throw UsageError("nothing to change is given");
    const std::vector<std::string>& names = context.arguments.operands;
    std::vector<Request> requests;
    for (const std::string& name : names) {
        requests.push_back({"POST", container_path(name, "update"), compact(patch)});
    }
    int exit_code = 0;
    const std::vector<Outcome> outcomes = perform_all(context.client, requests);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!outcomes[i].failure.empty()) {
            write_error("mydocker-ctl: " + printable(names[i] + ": " + outcomes[i].failure) + '\n');
            exit_code = 1;
            continue;
        }
        const Json answer = outcomes[i].exchange->answer();
        for (const Json& warning : answer.value("warnings", Json::array())) {
            write_error("mydocker-ctl: warning: " +
                        printable(warning.is_string() ? warning.get<std::string>() : "") + '\n');
        }
        if (!context.output.quiet) {
            write_out(names[i] + ": " + printable(text_of(answer, "reason")) + '\n');
        }
    }
    return exit_code;
}

int rename(const Context& context) {
    const std::vector<std::string>& names = context.arguments.operands;
    context.client.call(
        {"POST", container_path(names[0], "rename?to=") + percent_encode(names[1]), {}});
    return 0;
}

// "1:02.34", as ps and top tell it.
std::string cpu_time(std::int64_t milliseconds) {
    const auto two = [](std::int64_t value) {
        return (value < 10 ? "0" : "") + std::to_string(value);
    };
    return std::to_string(milliseconds / 60'000) + ':' + two(milliseconds / 1000 % 60) + '.' +
           two(milliseconds / 10 % 100);
}

std::vector<Column> process_columns() {
    const auto field = [](const char* key) {
        return [key](const Json& record, const Output&) { return Cell{text_of(record, key)}; };
    };
    return {
        {{"PID"}, field("pid")},
        {{"IN CONTAINER"}, field("container_pid")},
        {{"USER"}, field("user")},
        {{"STAT"}, field("state")},
        {{"%CPU"},
         [](const Json& record, const Output&) {
             const auto tenths = static_cast<std::int64_t>(record.value("cpu_percent", 0.0) * 10);
             return Cell{std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10)};
         }},
        {{"TIME"},
         [](const Json& record, const Output&) {
             return Cell{cpu_time(number_of(record, "cpu_ms", 0))};
         }},
        {{"MEMORY"},
         [](const Json& record, const Output&) {
             return Cell{
                 config::format_size(static_cast<config::Bytes>(number_of(record, "memory", 0)))};
         }},
        {{"COMMAND", true}, field("command")},
    };
}

int top(const Context& context) {
    if (context.arguments.operands.empty()) {
        if (!context.output.wants_table() || context.output.no_trunc) {
            throw UsageError("--format and --no-trunc need a NAME; without one it is a screen");
        }
        return watch_containers(context);
    }
    const Json answer =
        context.client.call({"GET", container_path(context.arguments.operands.front(), "top"), {}});
    std::vector<Json> processes;
    for (const Json& pid : answer.value("pids", Json::array())) {
        if (!pid.is_number_integer()) continue;
        if (auto process = read_process(pid.get<pid_t>())) processes.push_back(std::move(*process));
    }
    show_records(context.output, processes, process_columns());
    return 0;
}

}  // namespace

std::vector<Command> manage_commands() {
    return {{.group = "Containers",
             .name = "update",
             .operands = "NAME [NAME...]",
             .summary = "change limits and policies of containers as they run",
             .perform = update,
             .options = update_options(),
             .least_operands = 1,
             .most_operands = unlimited,
             .can_be_quiet = true,
             .notes = "The value `none` lifts a limit, or makes a setting the default again. Of a "
                      "container of the\nhost file the file's word goes again once its own value "
                      "of that key changes.\n"},
            {.group = "Containers",
             .name = "rename",
             .operands = "NAME NEW-NAME",
             .summary = "give a container another name",
             .perform = rename,
             .least_operands = 2,
             .most_operands = 2},
            {.group = "Containers",
             .name = "top",
             .operands = "[NAME]",
             .summary = "the processes of a container; without a NAME all containers, as `watch`",
             .perform = top,
             .most_operands = 1,
             .shows_records = true}};
}

}  // namespace mydocker::ctl
