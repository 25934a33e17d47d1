// Commands that show containers: ps, inspect, status, explain.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/scalar.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/log_printer.hpp"
#include "tools/ctl/status_text.hpp"
#include "tools/ctl/template.hpp"

namespace mydocker::ctl {

namespace {

std::vector<Json> list_containers(const Context& context, bool all) {
    Json answer = context.client.call({"GET", "/v1/containers?all=1", {}});
    std::vector<Json> containers;
    for (Json& summary : answer) {
        if (!all && !is_shown_by_default(summary)) continue;
        summary["status"] = status_text(summary, context.output.now);
        containers.push_back(std::move(summary));
    }
    return containers;
}

int ps(const Context& context) {
    const Output& output = context.output;
    const std::vector<Json> containers = list_containers(context, context.arguments.has("all"));
    if (!output.quiet) {
        show_records(output, containers, container_columns());
        return 0;
    }
    std::string ids;
    for (const Json& summary : containers) {
        const std::string id = text_of(summary, "id");
        ids += (output.no_trunc ? id : id.substr(0, 12)) + '\n';
    }
    write_out(ids);
    return 0;
}

// Shows what was found even where another name was not, as docker does.
int inspect(const Context& context) {
    const std::vector<std::string>& names = context.arguments.operands;
    std::vector<Request> requests;
    for (const std::string& name : names) requests.push_back({"GET", container_path(name), {}});
    const std::vector<Outcome> outcomes = perform_all(context.client, requests);
    Json found = Json::array();
    int exit_code = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (outcomes[i].failure.empty()) {
            found.push_back(outcomes[i].exchange->answer());
            continue;
        }
        write_error("mydocker-ctl: " + printable(names[i] + ": " + outcomes[i].failure) + '\n');
        exit_code = 1;
    }
    if (context.output.wants_table() || context.output.format == "json") {
        write_out(found.dump(4, ' ', false, Json::error_handler_t::replace) + '\n');
    } else {
        for (const Json& container : found) show_formatted(context.output, container);
    }
    return exit_code;
}

std::string labelled(const char* label, const std::string& text) {
    std::string line = label;
    line.resize(std::max<std::size_t>(line.size() + 1, 12), ' ');
    return text.empty() ? std::string{} : line + printable(text) + '\n';
}

std::string heading(const Json& container, const Terminal& terminal) {
    const std::string state = text_of(container, "state");
    return paint(printable(text_of(container, "name")), Colour::bold, terminal) + " is " +
           paint(state, state_colour(state), terminal) + ": " +
           printable(text_of(container, "reason")) + '\n';
}

// Pages of a container in the manner of systemctl: what it is, its limits, its last words.
int status_of(const Context& context, const std::string& name) {
    const Json container = context.client.call({"GET", container_path(name), {}});
    if (show_formatted(context.output, container)) return 0;
    std::string text = heading(container, context.output.terminal);
    text += labelled("status", status_text(container, context.output.now));
    const auto pid = number_of(container, "pid", 0);
    text += labelled("pid", pid > 0 ? std::to_string(pid) : "");
    text += labelled("command", command_line(container.value("command", Json::array())));
    text += labelled("restarts", text_of(container, "restarts"));
    text += labelled("rootfs", text_of(container, "rootfs"));
    text += labelled("cgroup", text_of(container, "cgroup"));
    const char* label = "limits";
    for (const Json& limit : container.value("limits", Json::array())) {
        text += labelled(label, text_of(limit, "file") + " = " + text_of(limit, "value"));
        label = "";
    }
    for (const Json& warning : container.value("warnings", Json::array())) {
        text += labelled("warning", warning.is_string() ? warning.get<std::string>() : "");
    }
    write_out(text);
    bool first = true;
    LogPrinter printer(true);
    context.client.stream({"GET", container_path(name, "logs?tail=10"), {}},
                          [&](std::string_view bytes) {
                              if (std::exchange(first, false)) write_out("\n");
                              printer.feed(bytes);
                          });
    if (printer.is_mid_line()) write_out("\n");
    return 0;
}

int status(const Context& context) {
    if (!context.arguments.operands.empty()) {
        return status_of(context, context.arguments.operands.front());
    }
    const Json info = context.client.call({"GET", "/v1/info", {}});
    const std::vector<Json> containers = list_containers(context, true);
    if (!context.output.wants_table()) {
        show_formatted(context.output, {{"daemon", info}, {"containers", containers}});
        return 0;
    }
    std::string text = "mydockerd " + text_of(info, "version") + ", pid " + text_of(info, "pid") +
                       ", up since " + local_time(text_of(info, "started")) + '\n';
    text += labelled("config", text_of(info, "config"));
    text += labelled("containers", counts_text(info.value("containers", Json::object())));
    for (const Json& warning : info.value("warnings", Json::array())) {
        text += labelled("warning", warning.is_string() ? warning.get<std::string>() : "");
    }
    write_out(text + '\n');
    show_records(context.output, containers, container_columns());
    return 0;
}

std::string size_or_nothing(const Json& record, const char* key) {
    const auto bytes = number_of(record, key, -1);
    return bytes < 0 ? std::string{} : config::format_size(static_cast<config::Bytes>(bytes));
}

// An object inside a record; empty where there is none: an attempt has no verdict until it is judged.
Json part_of(const Json& record, const char* key) {
    const auto it = record.find(key);
    return it != record.end() && it->is_object() ? *it : Json::object();
}

std::vector<Column> attempt_columns() {
    return {
        {{"ATTEMPT"}, [](const Json& a, const Output&) { return Cell{text_of(a, "attempt")}; }},
        {{"STARTED"},
         [](const Json& a, const Output&) { return Cell{local_time(text_of(a, "started"))}; }},
        {{"RAN"},
         [](const Json& a, const Output&) {
             const auto ran = number_of(a, "ran_ms", -1);
             return Cell{ran < 0 ? "" : short_span(ran)};
         }},
        {{"CAUSE", true}, [](const Json& a, const Output&) { return Cell{end_text(a)}; }},
        {{"RULE", true},
         [](const Json& a, const Output&) {
             return Cell{text_of(part_of(a, "verdict"), "rule")};
         }},
        {{"DELAY"},
         [](const Json& a, const Output&) {
             const Json verdict = part_of(a, "verdict");
             const bool restarts = verdict.value("restart", false);
             return Cell{restarts ? short_span(number_of(verdict, "delay_ms", 0)) : "-"};
         }},
        {{"PEAK"},
         [](const Json& a, const Output&) { return Cell{size_or_nothing(a, "memory_peak")}; }},
        {{"LOG"},
         [](const Json& a, const Output&) {
             const Json log = part_of(a, "log");
             return Cell{text_of(log, "file") + ':' + text_of(log, "offset")};
         }},
    };
}

// Why it is in its state, what happens next and when; then the ledger that says how it came there.
int explain(const Context& context) {
    const std::string& name = context.arguments.operands.front();
    const Json answer = context.client.call({"GET", container_path(name, "explain"), {}});
    if (show_formatted(context.output, answer)) return 0;
    std::string text = heading(answer, context.output.terminal);
    text += labelled("next", text_of(answer, "next"));
    text += labelled("wanted", text_of(answer, "desired"));
    text += labelled("policy", text_of(answer, "policy"));
    write_out(text);
    const Json attempts = answer.value("attempts", Json::array());
    if (attempts.empty()) return 0;
    write_out("\n");
    show_records(context.output, {attempts.begin(), attempts.end()}, attempt_columns());
    return 0;
}

}  // namespace

std::vector<Command> view_commands() {
    return {{.group = "Containers",
             .name = "ps",
             .operands = "",
             .summary = "list containers",
             .perform = ps,
             .options = {{"-a,--all", "", "those at rest as well, not only the host file's"}},
             .shows_records = true,
             .can_be_quiet = true},
            {.group = "Containers",
             .name = "inspect",
             .operands = "NAME [NAME...]",
             .summary = "show everything about containers as JSON",
             .perform = inspect,
             .least_operands = 1,
             .most_operands = unlimited,
             .shows_records = true},
            {.group = "Supervisor",
             .name = "status",
             .operands = "[NAME]",
             .summary = "the supervisor, or one container with its limits and last log lines",
             .perform = status,
             .most_operands = 1,
             .shows_records = true},
            {.group = "Supervisor",
             .name = "explain",
             .operands = "NAME",
             .summary = "why it is in its state, what happens next, and when",
             .perform = explain,
             .least_operands = 1,
             .most_operands = 1,
             .shows_records = true}};
}

}  // namespace mydocker::ctl
