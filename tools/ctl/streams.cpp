// Commands that follow what happens: logs and events. Both run in constant memory.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/line_splitter.hpp"
#include "tools/ctl/log_printer.hpp"
#include "tools/ctl/template.hpp"

namespace mydocker::ctl {

namespace {

std::string count_of(const Arguments& arguments, const char* option) {
    const std::string text = arguments.get(option);
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end) {
        throw UsageError(std::string("--") + option + ": '" + text + "' is not a number");
    }
    return std::to_string(value);
}

int logs(const Context& context) {
    const Arguments& arguments = context.arguments;
    std::string query;
    const auto add = [&](const std::string& term) { query += (query.empty() ? '?' : '&') + term; };
    if (arguments.has("follow")) add("follow=1");
    if (arguments.has("tail") && arguments.get("tail") != "all") {
        add("tail=" + count_of(arguments, "tail"));
    }
    if (arguments.has("since")) {
        const std::string text = arguments.get("since");
        const auto since = parse_since(text, context.output.now);
        if (!since) {
            throw UsageError("--since: '" + text +
                             "' is neither a time such as 2026-01-31T12:00:00Z nor a span such as "
                             "10m");
        }
        add("since=" + percent_encode(format_rfc3339(*since)));
    }
    LogPrinter printer(arguments.has("timestamps"));
    context.client.stream({"GET", container_path(arguments.operands.front(), "logs") + query, {}},
                          [&](std::string_view bytes) { printer.feed(bytes); });
    return 0;
}

std::string event_line(const Json& event, const Terminal& terminal) {
    std::string line = paint(local_time(text_of(event, "time")), Colour::faint, terminal) + ' ';
    const std::string container = text_of(event, "container");
    const std::string from = text_of(event, "from");
    const std::string to = text_of(event, "state");
    const std::string reason = text_of(event, "reason");
    line += paint(printable(container.empty() ? text_of(event, "type") : container), Colour::bold,
                  terminal);
    if (!to.empty()) line += ' ' + (from.empty() || from == to ? to : from + " -> " + to);
    if (!reason.empty()) line += ": " + printable(reason);
    return line + '\n';
}

int events(const Context& context) {
    const Arguments& arguments = context.arguments;
    const Output& output = context.output;
    std::string query;
    const auto add = [&](const std::string& term) { query += (query.empty() ? '?' : '&') + term; };
    if (!arguments.has("no-follow")) add("follow=1");
    if (arguments.has("since")) add("since=" + count_of(arguments, "since"));
    // The daemon selects one container; several are selected here.
    const std::vector<std::string>& names = arguments.operands;
    if (names.size() == 1) add("container=" + percent_encode(names.front()));
    const auto is_wanted = [&](const Json& event) {
        if (names.size() < 2) return true;
        const std::string id = text_of(event, "id");
        return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            return name == text_of(event, "container") || (!name.empty() && id.starts_with(name));
        });
    };
    std::optional<Template> line;
    if (!output.wants_table() && output.format != "json") line.emplace(output.format);
    LineSplitter splitter([&](const std::string& text) {
        const Json event = Json::parse(text, nullptr, false);
        if (!event.is_object()) {
            throw Failure("mydockerd sent an event that is not JSON", protocol::exit_daemon);
        }
        if (!is_wanted(event)) return;
        if (line) {
            write_out(line->render(event) + '\n');
        } else {
            write_out(output.format == "json" ? text + '\n' : event_line(event, output.terminal));
        }
    });
    context.client.stream({"GET", "/v1/events" + query, {}},
                          [&](std::string_view bytes) { splitter.feed(bytes); });
    return 0;
}

}  // namespace

std::vector<Command> stream_commands() {
    return {{.group = "Containers",
             .name = "logs",
             .operands = "NAME",
             .summary = "what a container wrote, its stdout on ours and its stderr on ours",
             .perform = logs,
             .options = {{"-f,--follow", "", "go on as it writes, until it rests"},
                         {"-n,--tail", "N", "only the last N lines"},
                         {"--since", "TIME", "2026-01-31T12:00:00Z, or how long ago: 10m"},
                         {"-t,--timestamps", "", "begin each line with its time"}},
             .least_operands = 1,
             .most_operands = 1},
            {.group = "Containers",
             .name = "events",
             .operands = "[NAME...]",
             .summary = "follow changes of state and their reasons",
             .perform = events,
             .options = {{"--since", "SEQ", "those after this number as well"},
                         {"--no-follow", "", "end after those that have happened"}},
             .most_operands = unlimited,
             .shows_records = true}};
}

}  // namespace mydocker::ctl
