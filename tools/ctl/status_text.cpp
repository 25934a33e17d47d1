// See status_text.hpp.
#include "tools/ctl/status_text.hpp"

#include <nlohmann/json.hpp>

namespace mydocker::ctl {

using Json = nlohmann::json;

namespace {

constexpr std::size_t short_id = 12;
constexpr std::size_t short_command = 40;

std::string ended(const char* how, const Json& summary, Time now) {
    const std::string code = text_of(summary, "exit_code");
    const std::string cause = text_of(summary, "cause");
    std::string text = how;
    // A code says it all for an exit; 137 says little where memory ran out.
    const bool has_story = cause != "clean" && cause != "exit" && !cause.empty();
    if (!code.empty()) text += " (" + code + (has_story ? ", " + cause : "") + ')';
    if (code.empty() && has_story) text += " (" + cause + ')';
    const std::string when = ago(text_of(summary, "finished"), now);
    return when.empty() ? text : text + ' ' + when;
}

}  // namespace

std::string status_text(const Json& summary, Time now) {
    const std::string state = text_of(summary, "state");
    if (state == "running" || state == "paused") {
        return "Up " + rough_span(std::chrono::milliseconds{number_of(summary, "uptime_ms", 0)}) +
               (state == "paused" ? " (Paused)" : "");
    }
    if (state == "waiting") {
        const auto left = number_of(summary, "next_start_ms", -1);
        return left < 0 ? "Waiting to restart" : "Restarting in " + short_span(left);
    }
    if (state == "exited") return ended("Exited", summary, now);
    if (state == "failed") return ended("Failed", summary, now) + ": " + text_of(summary, "reason");
    if (state == "unkillable") return "Unkillable: " + text_of(summary, "reason");
    if (state == "created") {
        const std::string when = ago(text_of(summary, "created"), now);
        return when.empty() ? "Created" : "Created " + when;
    }
    if (state == "queued") return "Waiting for its turn to start";
    if (state == "starting") return "Starting";
    if (state == "stopping") return "Stopping";
    if (state == "cleaning") return "Cleaning up";
    return state;
}

Colour state_colour(const std::string& state) {
    if (state == "running") return Colour::green;
    if (state == "failed" || state == "unkillable") return Colour::red;
    if (state == "exited" || state == "created") return Colour::faint;
    return Colour::yellow;
}

std::string command_line(const Json& words) {
    if (!words.is_array()) return {};
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
    std::string line;
    for (const Json& item : words) {
        const std::string word = item.is_string() ? item.get<std::string>() : compact(item);
        if (!line.empty()) line += ' ';
        if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
            line += word;
            continue;
        }
        line += '\'';
        for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
        line += '\'';
    }
    return line;
}

std::string end_text(const Json& attempt) {
    const std::string cause = text_of(attempt, "cause");
    const std::string signal = text_of(attempt, "signal");
    const std::string error = text_of(attempt, "error");
    if (!error.empty()) return cause + ": " + error;
    if (!signal.empty()) return cause == "signal" ? signal : cause + " (" + signal + ')';
    const std::string code = text_of(attempt, "exit_code");
    if (cause == "exit" || cause == "clean") return "exit " + code;
    return code.empty() ? cause : cause + " (exit " + code + ')';
}

std::vector<Column> container_columns() {
    const auto field = [](const char* key) {
        return [key](const Json& record, const Output&) { return Cell{text_of(record, key)}; };
    };
    return {
        {{"NAME"}, field("name")},
        {{"ID"},
         [](const Json& record, const Output& output) {
             const std::string id = text_of(record, "id");
             return Cell{output.no_trunc ? id : id.substr(0, short_id)};
         }},
        {{"STATE"},
         [](const Json& record, const Output&) {
             const std::string state = text_of(record, "state");
             return Cell{state, state_colour(state)};
         }},
        {{"STATUS", true},
         [](const Json& record, const Output& output) {
             return Cell{status_text(record, output.now)};
         }},
        {{"RESTARTS"}, field("restarts")},
        {{"COMMAND", true},
         [](const Json& record, const Output& output) {
             const std::string line = command_line(record.value("command", Json::array()));
             return Cell{output.no_trunc ? line : cut(line, short_command)};
         }},
    };
}

bool is_shown_by_default(const Json& summary) {
    const std::string state = text_of(summary, "state");
    const bool rests = state == "created" || state == "exited" || state == "failed";
    return !rests || text_of(summary, "origin") == "file";
}

}  // namespace mydocker::ctl
