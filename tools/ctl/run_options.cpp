// How an option's text becomes JSON is its row's Kind, done in one switch.
#include "tools/ctl/run_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/scalar.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/option_rows.hpp"

namespace mydocker::ctl {

namespace {

using Json = nlohmann::json;

// "restart.delay" -> /restart/delay
Json::json_pointer pointer_to(std::string key) {
    std::replace(key.begin(), key.end(), '.', '/');
    return Json::json_pointer('/' + key);
}

// One option's text on its way to JSON; errors name the option.
class Translation {
public:
    Translation(Json& container, const Surroundings& surroundings)
        : container_(container), surroundings_(surroundings) {}

    void apply(const Row& row, const std::vector<std::string>& values) {
        name_ = "--" + key_of(row.option);
        Json& target = container_[pointer_to(row.key)];
        const std::string last = values.empty() ? std::string{} : values.back();
        switch (row.kind) {
            case Kind::text: target = last; break;
            case Kind::flag: target = true; break;
            case Kind::integer: target = integer(last); break;
            case Kind::number: target = number(last); break;
            case Kind::size: target = size(last); break;
            case Kind::size_or_unlimited:
                target = last == "-1" ? Json(-1) : Json(size(last));
                break;
            case Kind::duration: target = duration(last); break;
            case Kind::seconds: target = seconds(last); break;
            case Kind::path: target = absolute(last); break;
            case Kind::volume:
                for (const auto& value : values) target += volume(value);
                break;
            case Kind::list:
                for (const auto& value : values) target += value;
                break;
            case Kind::words:
                for (const auto& value : values) add_words(target, value);
                break;
            case Kind::variable:
                for (const auto& value : values) add_variable(target, value);
                break;
            case Kind::variable_file:
                for (const auto& value : values) add_file(target, value);
                break;
            case Kind::ulimit:
                for (const auto& value : values) add_pair(target, value, "NAME=SOFT[:HARD]");
                break;
            case Kind::log_option:
                for (const auto& value : values) add_log_option(target, value);
                break;
            case Kind::policy: set_policy(last); break;
        }
        // `-e NAME` with no such variable here leaves nothing, as with docker.
        if (target.is_null()) target = Json::object();
    }

private:
    [[noreturn]] void reject(const std::string& value, const std::string& wanted) const {
        throw UsageError(name_ + ": '" + value + "' is not " + wanted);
    }

    std::int64_t integer(const std::string& text) const {
        std::int64_t value = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error != std::errc{} || stop != end) reject(text, "a whole number");
        return value;
    }

    double number(const std::string& text) const {
        double value = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] =
            std::from_chars(text.data(), end, value, std::chars_format::fixed);
        if (error != std::errc{} || stop != end || !std::isfinite(value)) {
            reject(text, "a number such as 1.5");
        }
        return value;
    }

    std::string size(const std::string& text) const {
        if (!config::parse_size(text)) reject(text, "a size such as 50m or 1.5g");
        return text;
    }

    std::string duration(const std::string& text) const {
        if (!config::parse_duration(text)) reject(text, "a time such as 500ms or 1m30s");
        return text;
    }

    std::string seconds(const std::string& text) const {
        const bool bare =
            !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        const std::string value = bare ? text + 's' : text;
        if (!config::parse_duration(value)) reject(text, "a number of seconds");
        return value;
    }

    std::string absolute(const std::string& path) const {
        if (path.empty()) reject(path, "a path");
        std::string whole =
            (surroundings_.working_directory / std::filesystem::path(path)).lexically_normal();
        if (whole.size() > 1 && whole.back() == '/') whole.pop_back();
        return whole;
    }

    // "./data:/data" starts at the client's working directory; everything else is the daemon's.
    std::string volume(const std::string& text) const {
        if (!text.starts_with("./") && !text.starts_with("../")) return text;
        const std::size_t colon = text.find(':');
        if (colon == std::string::npos) reject(text, "SOURCE:TARGET[:ro]");
        return absolute(text.substr(0, colon)) + text.substr(colon);
    }

    static void add_words(Json& list, const std::string& text) {
        std::istringstream words(text);
        for (std::string word; std::getline(words, word, ',');) list += word;
    }

    void add_variable(Json& variables, const std::string& text) const {
        const std::size_t equals = text.find('=');
        const std::string name = text.substr(0, equals);
        if (name.empty()) reject(text, "NAME=VALUE or NAME");
        if (equals != std::string::npos) {
            variables[name] = text.substr(equals + 1);
        } else if (const auto value = surroundings_.environment(name)) {
            variables[name] = *value;
        }
    }

    // Docker's format: a variable a line as it stands, no quotes; '#' opens a comment line.
    void add_file(Json& variables, const std::string& path) const {
        std::istringstream lines(surroundings_.read_file(path));
        for (std::string line; std::getline(lines, line);) {
            if (line.ends_with('\r')) line.pop_back();
            line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
            if (!line.empty() && line.front() != '#') add_variable(variables, line);
        }
    }

    std::pair<std::string, std::string> pair(const std::string& text, const char* form) const {
        const std::size_t equals = text.find('=');
        if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
            reject(text, form);
        }
        return {text.substr(0, equals), text.substr(equals + 1)};
    }

    void add_pair(Json& table, const std::string& text, const char* form) const {
        const auto [name, value] = pair(text, form);
        table[name] = value;
    }

    void add_log_option(Json& logging, const std::string& text) const {
        const auto [name, value] = pair(text, "max-size=SIZE or max-file=N");
        if (name == "max-size") {
            logging["max_size"] = size(value);
        } else if (name == "max-file") {
            logging["max_files"] = integer(value);
        } else {
            reject(text, "max-size=SIZE or max-file=N");
        }
    }

    void set_policy(const std::string& text) {
        const std::size_t colon = text.find(':');
        container_["restart"]["policy"] = text.substr(0, colon);
        if (colon != std::string::npos) {
            container_["restart"]["attempts"] = integer(text.substr(colon + 1));
        }
    }

    Json& container_;
    const Surroundings& surroundings_;
    std::string name_;  // of the option at hand, for errors
};

}  // namespace

std::vector<Option> container_options() {
    std::vector<Option> options;
    for (const Row& row : container_rows()) options.push_back(row.option);
    return options;
}

Json environment_of(const Arguments& arguments, const Surroundings& surroundings) {
    Json container = {{"environment", Json::object()}};
    Translation translation(container, surroundings);
    for (const Row& row : container_rows()) {
        const auto given = arguments.options.find(key_of(row.option));
        const bool is_variable = row.kind == Kind::variable || row.kind == Kind::variable_file;
        if (is_variable && given != arguments.options.end()) translation.apply(row, given->second);
    }
    return container["environment"];
}

std::vector<Option> update_options() {
    std::vector<Option> options;
    for (const Row& row : container_rows()) {
        if (row.updatable) options.push_back(row.option);
    }
    return options;
}

Json update_request(const Arguments& arguments, const Surroundings& surroundings) {
    Json patch = Json::object();
    Translation translation(patch, surroundings);
    for (const Row& row : container_rows()) {
        const auto given = arguments.options.find(key_of(row.option));
        if (!row.updatable || given == arguments.options.end()) continue;
        if (given->second == std::vector<std::string>{"none"}) {
            patch[pointer_to(row.key)] = nullptr;
        } else {
            translation.apply(row, given->second);
        }
    }
    return patch;
}

Json create_request(const Arguments& arguments, const Surroundings& surroundings) {
    Json container = {{"command", arguments.operands}};
    Translation translation(container, surroundings);
    for (const Row& row : container_rows()) {
        const auto given = arguments.options.find(key_of(row.option));
        if (given != arguments.options.end()) translation.apply(row, given->second);
    }
    Json request = {{"container", std::move(container)}};
    if (arguments.has("name")) request["name"] = arguments.get("name");
    if (arguments.has("rm")) request["auto_remove"] = true;
    return request;
}

Surroundings real_surroundings() {
    return {[](const std::string& name) -> std::optional<std::string> {
                const char* value = std::getenv(name.c_str());
                return value == nullptr ? std::nullopt : std::optional<std::string>(value);
            },
            [](const std::string& path) {
                std::ifstream file(path, std::ios::binary);
                std::ostringstream text;
                // An empty file sets failbit in operator<<, so only opening and badbit tell.
                if (!file.is_open() || std::filesystem::is_directory(path)) {
                    throw UsageError("--env-file: cannot read " + path);
                }
                text << file.rdbuf();
                return text.str();
            },
            std::filesystem::current_path().string()};
}

}  // namespace mydocker::ctl
