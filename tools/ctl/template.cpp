// See template.hpp.
#include "tools/ctl/template.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

using Json = nlohmann::json;

namespace {

char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }
char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string_view trim(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::string unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
        if (next == 't' || next == 'n' || next == '\\') {
            result += next == 't' ? '\t' : next == 'n' ? '\n' : '\\';
            ++i;
        } else {
            result += text[i];
        }
    }
    return result;
}

std::string folded(std::string_view key) {
    std::string result;
    for (const char c : key) {
        if (c != '_') result += lower(c);
    }
    return result;
}

std::vector<std::string> split_path(std::string_view path) {
    std::vector<std::string> names;
    for (path.remove_prefix(1); !path.empty();) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        names.emplace_back(path.substr(0, dot));
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return names;
}

const Json& member(const Json& value, const std::string& name) {
    std::string wanted = folded(name);
    if (wanted == "names") wanted = "name";  // as docker ps spells it
    std::string known;
    if (value.is_object()) {
        for (const auto& [key, item] : value.items()) {
            if (folded(key) == wanted) return item;
            known += (known.empty() ? "" : ", ") + key;
        }
    }
    throw UsageError("--format: there is no field ." + name +
                     (known.empty() ? " here" : "; there are " + known));
}

std::string plain(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return value.get<std::string>();
    const bool is_flat =
        value.is_array() &&
        std::all_of(value.begin(), value.end(), [](auto& item) { return item.is_primitive(); });
    if (!is_flat) return value.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::string line;  // a command line reads better without brackets
    for (const Json& item : value) line += (line.empty() ? "" : " ") + plain(item);
    return line;
}

}  // namespace

Template::Template(std::string_view text) {
    while (!text.empty()) {
        const std::size_t open = std::min(text.find("{{"), text.size());
        if (open > 0) parts_.push_back({.literal = unescape(text.substr(0, open))});
        text.remove_prefix(open);
        if (text.empty()) break;
        const std::size_t close = text.find("}}");
        if (close == std::string_view::npos) {
            throw UsageError("--format: '{{' without '}}' in '" + std::string(text) + "'");
        }
        std::string_view field = trim(text.substr(2, close - 2));
        Part part{.is_field = true};
        if (field.size() >= 2 && field.starts_with('"') && field.ends_with('"')) {
            parts_.push_back({.literal = unescape(field.substr(1, field.size() - 2))});
            text.remove_prefix(close + 2);
            continue;
        }
        using Form = Part::Form;
        for (const auto& [name, form] : {std::pair{"json ", Form::json},
                                         {"upper ", Form::upper},
                                         {"lower ", Form::lower},
                                         {"len ", Form::length}}) {
            if (!field.starts_with(name)) continue;
            part.form = form;
            field = trim(field.substr(std::string_view(name).size()));
            break;
        }
        if (!field.starts_with('.') || field.find_first_of(" |(\"") != std::string_view::npos) {
            throw UsageError("--format: '{{" + std::string(field) +
                             "}}' is not understood; write {{.Field}} or {{json .Field}}");
        }
        part.path = split_path(field);
        parts_.push_back(std::move(part));
        text.remove_prefix(close + 2);
    }
}

std::string Template::render(const Json& record) const {
    std::string line;
    for (const Part& part : parts_) {
        if (!part.is_field) {
            line += part.literal;
            continue;
        }
        const Json* value = &record;
        for (const std::string& name : part.path) value = &member(*value, name);
        line += form(*value, part.form);
    }
    return line;
}

std::string Template::form(const Json& value, Part::Form form) {
    std::string text = plain(value);
    switch (form) {
        case Part::Form::plain: break;
        case Part::Form::json: return value.dump(-1, ' ', false, Json::error_handler_t::replace);
        case Part::Form::length:
            return std::to_string(value.is_string() ? text.size() : value.size());
        case Part::Form::upper:
            for (char& c : text) c = upper(c);
            break;
        case Part::Form::lower:
            for (char& c : text) c = lower(c);
            break;
    }
    return text;
}

std::string Template::heading() const {
    std::string line;
    for (const Part& part : parts_) {
        std::string name = part.is_field ? "" : part.literal;
        if (part.is_field && !part.path.empty()) {
            name = part.path.back();
            for (char& c : name) c = upper(c);
        }
        line += name;
    }
    return line;
}

}  // namespace mydocker::ctl
