// Commands that follow what happens: logs and events. Both run in constant memory.
#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/line_splitter.hpp"
#include "tools/ctl/log_printer.hpp"
#include "tools/ctl/positioned_log.hpp"
#include "tools/ctl/reconnection.hpp"
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

// "-1" and "3" alike.
std::string signed_option(const Arguments& arguments, const char* option) {
    const std::string text = arguments.get(option);
    int value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end) {
        throw UsageError(std::string("--") + option + ": '" + text + "' is not a number");
    }
    return std::to_string(value);
}

std::string time_option(const Context& context, const char* option) {
    const std::string text = context.arguments.get(option);
    const auto time = parse_since(text, context.output.now);
    if (!time) {
        throw UsageError(std::string("--") + option + ": '" + text +
                         "' is neither a time such as 2026-01-31T12:00:00Z nor a span such as "
                         "10m");
    }
    return percent_encode(format_rfc3339(*time));
}

int logs(const Context& context) {
    const Arguments& arguments = context.arguments;
    std::string always = "?positions=1";
    if (arguments.has("follow")) always += "&follow=1";
    if (arguments.has("until")) always += "&until=" + time_option(context, "until");
    std::string begin;  // of the first request; after a break the next one goes on where it was
    if (arguments.has("tail") && arguments.get("tail") != "all")
        begin += "&tail=" + count_of(arguments, "tail");
    if (arguments.has("since")) begin += "&since=" + time_option(context, "since");
    if (arguments.has("attempt")) begin += "&attempt=" + signed_option(arguments, "attempt");
    const std::string path = container_path(arguments.operands.front(), "logs") + always;
    LogPrinter printer(arguments.has("timestamps"));
    PositionedLog log([&](std::string_view bytes) { printer.feed(bytes); });
    const auto request = [&]() -> Request {
        if (!log.is_known()) return {"GET", path + begin, {}};
        // "The last attempt" may be another by now.
        const std::string attempt =
            log.attempt() == 0 ? "" : "&attempt=" + std::to_string(log.attempt());
        return {"GET", path + "&from=" + log.from() + attempt, {}};
    };
    stream_steadily(context.client, {.request = request,
                                     .sink = [&](std::string_view bytes) { log.feed(bytes); },
                                     .on_break = [&] { log.restart(); }});
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

// Docker's --filter KEY=VALUE, as the daemon takes it: the words of a key separated by commas.
std::map<std::string, std::string> event_filters(const Arguments& arguments) {
    std::map<std::string, std::string> filters;
    const auto add = [&](const std::string& key, const std::string& word) {
        std::string& words = filters[key];
        words += (words.empty() ? "" : ",") + word;
    };
    for (const std::string& name : arguments.operands) add("container", name);
    for (const std::string& filter : arguments.all("filter")) {
        const std::size_t equals = std::min(filter.find('='), filter.size());
        const std::string key = filter.substr(0, equals);
        if (key != "container" && key != "type" && key != "state" && key != "result") {
            throw UsageError("--filter: '" + filter +
                             "' is none of container=, type=, state=, result=");
        }
        if (equals + 1 >= filter.size())
            throw UsageError("--filter: '" + filter + "' has no value");
        add(key, filter.substr(equals + 1));
    }
    return filters;
}

// Where a client of the event stream is, for when its connection breaks.
struct EventPlace {
    std::string instance;  // mydockerd's; "" before it is known
    std::int64_t seen = 0;

    // False for what is only for us.
    bool take(const Json& event) {
        seen = number_of(event, "seq", seen);
        if (event.contains("instance")) instance = text_of(event, "instance");
        return text_of(event, "type") != "instance";
    }
    std::string query() const { return "&since=" + std::to_string(seen) + "&instance=" + instance; }
};

int events(const Context& context) {
    const Arguments& arguments = context.arguments;
    const Output& output = context.output;
    std::string query = "?";
    const auto add = [&](const std::string& term) {
        query += (query.size() == 1 ? "" : "&") + term;
    };
    std::string begin = "&instance=";  // of the first request
    if (!arguments.has("no-follow")) add("follow=1");
    if (arguments.has("since")) {
        const std::string since = arguments.get("since");
        const bool is_number =
            !since.empty() && since.find_first_not_of("0123456789") == std::string::npos;
        begin +=
            "&since=" + (is_number ? count_of(arguments, "since") : time_option(context, "since"));
    }
    if (arguments.has("until")) add("until=" + time_option(context, "until"));
    for (const auto& [key, words] : event_filters(arguments)) {
        add(key + '=' + percent_encode(words));
    }
    std::optional<Template> line;
    if (!output.wants_table() && output.format != "json") line.emplace(output.format);
    EventPlace place;
    LineSplitter splitter([&](const std::string& text) {
        const Json event = Json::parse(text, nullptr, false);
        if (!event.is_object()) {
            throw Failure("mydockerd sent an event that is not JSON", protocol::exit_daemon);
        }
        if (!place.take(event)) return;
        const std::string type = text_of(event, "type");
        if (type == "gap" && output.format != "json") {
            write_error("mydocker-ctl: events are missing here: " +
                        printable(text_of(event, "reason")) + '\n');
        } else if (type == "replaced" && line) {  // it has none of the fields that a template names
            write_error("mydocker-ctl: " + printable(text_of(event, "reason")) + '\n');
        } else if (line) {
            write_out(line->render(event) + '\n');
        } else {
            write_out(output.format == "json" ? text + '\n' : event_line(event, output.terminal));
        }
    });
    const auto request = [&]() -> Request {
        return {"GET", "/v1/events" + query + (place.instance.empty() ? begin : place.query()), {}};
    };
    stream_steadily(context.client, {.request = request,
                                     .sink = [&](std::string_view bytes) { splitter.feed(bytes); },
                                     .on_break = [&] { splitter.forget(); }});
    return 0;
}

}  // namespace

std::vector<Command> stream_commands() {
    return {
        {.group = "Containers",
         .name = "logs",
         .operands = "NAME",
         .summary = "what a container wrote, its stdout on ours and its stderr on ours",
         .perform = logs,
         .options = {{"-f,--follow", "", "go on as it writes, until it rests"},
                     {"-n,--tail", "N", "only the last N lines"},
                     {"--since", "TIME", "2026-01-31T12:00:00Z, or how long ago: 10m"},
                     {"--until", "TIME", "not what came after this"},
                     {"--attempt", "N", "only of one attempt: 0 the last, -1 the one before it"},
                     {"-t,--timestamps", "", "begin each line with its time"}},
         .least_operands = 1,
         .most_operands = 1},
        {.group = "Containers",
         .name = "events",
         .operands = "[NAME...]",
         .summary = "follow changes of state and their reasons",
         .perform = events,
         .options = {{"--since", "SEQ|TIME",
                      "those after this number or time as well; 10m: of ten minutes"},
                     {"--until", "TIME", "end there"},
                     {"-f,--filter", "KEY=VALUE",
                      "container=, type=state|reload|daemon, state=running, result=oom", true},
                     {"--no-follow", "", "end after those that have happened"}},
         .most_operands = unlimited,
         .shows_records = true}};
}

}  // namespace mydocker::ctl
