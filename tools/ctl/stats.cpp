// `stats`: what the containers use, as a table that refreshes itself on a terminal, or record by
// record for programs. A full-screen view is another command's.
#include "tools/ctl/stats.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "config/scalar.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/line_splitter.hpp"
#include "tools/ctl/reconnection.hpp"
#include "tools/ctl/status_text.hpp"

namespace mydocker::ctl {

namespace {

constexpr auto nothing = "-";

bool has_number(const Json& record, const char* key) {
    const auto it = record.find(key);
    return it != record.end() && it->is_number();
}

std::string size_of(const Json& record, const char* key) {
    if (!has_number(record, key)) return nothing;
    return config::format_size(static_cast<config::Bytes>(record[key].get<std::uint64_t>()));
}

std::string percent(double value) {
    char text[32];
    const auto [end, error] =
        std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 2);
    return error == std::errc{} ? std::string(text, end) + '%' : nothing;
}

// "10MiB / 50MiB"; a limit that is not set is not shown.
std::string beside_limit(const std::string& used, const std::string& limit) {
    return limit == nothing ? used : used + " / " + limit;
}

// "0.5 12 0": cpu, memory and io.
std::string pressure_text(const Json& record) {
    const auto it = record.find("pressure");
    if (it == record.end() || !it->is_object()) return nothing;
    std::string text;
    for (const char* key : {"cpu", "memory", "io"}) {
        text += text.empty() ? "" : " ";
        text += has_number(*it, key) ? percent((*it)[key].get<double>()) : nothing;
    }
    return text;
}

std::vector<Column> stats_columns() {
    const auto field = [](const char* key) {
        return [key](const Json& record, const Output&) { return Cell{text_of(record, key)}; };
    };
    return {
        {{"NAME", true}, field("name")},
        {{"STATE"},
         [](const Json& record, const Output&) {
             const std::string state = text_of(record, "state");
             return Cell{state, state_colour(state)};
         }},
        {{"CPU %"}, field("cpu_perc")},
        {{"MEMORY / LIMIT"}, field("mem_usage")},
        {{"MEM %"}, field("mem_perc")},
        {{"SWAP"}, [](const Json& record, const Output&) { return Cell{size_of(record, "swap")}; }},
        {{"READ / WRITTEN"}, field("block_io")},
        {{"PIDS"},
         [](const Json& record, const Output&) {
             const std::string pids = text_of(record, "pids");
             const std::string most = text_of(record, "pids_max");
             return Cell{
                 beside_limit(pids.empty() ? nothing : pids, most.empty() ? nothing : most)};
         }},
        {{"PRESSURE CPU MEM IO"},
         [](const Json& record, const Output&) { return Cell{pressure_text(record)}; }},
        {{"OOM"},
         [](const Json& record, const Output&) {
             const auto kills = number_of(record, "oom_kills", 0);
             return Cell{has_number(record, "oom_kills") ? std::to_string(kills) : nothing,
                         kills > 0 ? Colour::red : Colour::none};
         }},
        {{"RESTARTS"}, field("restarts")},
    };
}

// On a terminal each table takes the place of the one before; what does not fit is left out, since
// a screen that scrolls cannot be redrawn.
class Screen {
public:
    void show(const Output& output, const std::vector<Json>& records) {
        std::string table = table_text(output, records, stats_columns());
        std::string frame = "\x1b[H";
        std::size_t line = 1;
        for (std::size_t at = 0; at < table.size(); ++line) {
            const std::size_t end = table.find('\n', at);
            if (line + 1 >= output.terminal.height && records.size() + 1 > line) {
                frame += "… " + std::to_string(records.size() + 2 - line) + " more\x1b[K\n";
                break;
            }
            frame += table.substr(at, end - at) + "\x1b[K\n";
            at = end + 1;
        }
        write_out((std::exchange(shown_, true) ? "" : "\x1b[2J") + frame + "\x1b[J");
    }

private:
    bool shown_ = false;
};

std::string seconds_of(const Arguments& arguments) {
    const std::string text = arguments.get("interval");
    const bool bare = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
    const auto parsed = config::parse_duration(bare ? text + 's' : text);
    if (!parsed) throw UsageError("--interval: '" + text + "' is not a number of seconds");
    return std::to_string(std::chrono::duration<double>(*parsed).count());
}

int stats(const Context& context) {
    const Arguments& arguments = context.arguments;
    const bool follow = !arguments.has("no-stream");
    std::string query = follow ? "?follow=1" : "?";
    if (arguments.has("interval")) {
        if (!follow) throw UsageError("--interval means nothing with --no-stream");
        query += "&interval=" + seconds_of(arguments);
    }
    std::string names;
    for (const std::string& name : arguments.operands) {
        names += (names.empty() ? "" : ",") + percent_encode(name);
    }
    if (!names.empty()) query += "&containers=" + names;

    const bool all = arguments.has("all") || !names.empty();
    Output output = context.output;
    const bool redraws = follow && output.wants_table() && output.terminal.height > 0;
    Screen screen;
    LineSplitter splitter([&](const std::string& text) {
        const Json tick = Json::parse(text, nullptr, false);
        const auto list = tick.is_object() ? tick.find("containers") : tick.end();
        if (list == tick.end() || !list->is_array()) {
            throw Failure("mydockerd sent statistics that are not understood",
                          protocol::exit_daemon);
        }
        std::vector<Json> records;
        for (const Json& container : *list) {
            if (all || container.contains("cpu_usec")) {
                records.push_back(stats_record(container, text_of(tick, "time")));
            }
        }
        if (!redraws) return show_records(output, records, stats_columns());
        const std::size_t width = output.terminal.width;
        output.terminal = look_at_terminal();  // its size may have changed
        if (output.no_trunc) output.terminal.width = width;
        screen.show(output, records);
    });
    const auto on_break = [&] {
        splitter.forget();
        // Below the table; the next one takes its place.
        if (redraws) write_out("mydockerd is away, reconnecting\r");
    };
    stream_steadily(context.client, {.request =
                                         [&] {
                                             return Request{"GET", "/v1/stats" + query, {}};
                                         },
                                     .sink = [&](std::string_view bytes) { splitter.feed(bytes); },
                                     .on_break = on_break,
                                     .silent = redraws});
    return 0;
}

}  // namespace

Json stats_record(const Json& container, const std::string& time) {
    Json record = container;
    record["time"] = time;
    const bool has_memory = has_number(container, "memory");
    const bool has_limit = has_memory && has_number(container, "memory_max");
    record["cpu_perc"] = has_number(container, "cpu_percent")
                             ? percent(container["cpu_percent"].get<double>())
                             : nothing;
    record["mem_usage"] =
        beside_limit(size_of(container, "memory"), size_of(container, "memory_max"));
    record["mem_perc"] = has_limit && container["memory_max"].get<double>() > 0
                             ? percent(100 * container["memory"].get<double>() /
                                       container["memory_max"].get<double>())
                             : nothing;
    record["block_io"] = has_number(container, "io_read") ? size_of(container, "io_read") + " / " +
                                                                size_of(container, "io_write")
                                                          : nothing;
    // A template may name what this container, or this host, has no number for.
    for (const char* key : {"next_start_ms", "cpu_usec", "cpu_percent", "throttled_usec", "memory",
                            "memory_max", "memory_peak", "swap", "pids", "pids_max", "io_read",
                            "io_write", "pressure", "oom_kills"}) {
        if (!record.contains(key)) record[key] = nullptr;
    }
    return record;
}

std::vector<Command> stats_commands() {
    return {{.group = "Containers",
             .name = "stats",
             .operands = "[NAME...]",
             .summary = "what containers use of processor, memory, disk: a table that refreshes",
             .perform = stats,
             .options = {{"--no-stream", "", "once"},
                         {"--interval", "SECONDS", "between two tables (default 1)"},
                         {"-a,--all", "", "those at rest as well"}},
             .most_operands = unlimited,
             .shows_records = true}};
}

}  // namespace mydocker::ctl
