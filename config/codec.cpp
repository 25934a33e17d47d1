// Reading of the plain kinds of value: strings, numbers, sizes, times.
#include "config/codec.hpp"

#include <cmath>

namespace mydocker::config {

namespace {

constexpr auto longest_time = std::chrono::hours{24 * 365 * 100};
constexpr std::string_view size_expected = R"(a size such as "50m")";
constexpr std::string_view time_expected = R"(a duration such as "10s")";

std::string number(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

std::string range(const std::string& least, const std::string& most) {
    return "out of range: " + least + " to " + most;
}

bool has_parent_step(std::string_view path) {
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        if (path.substr(0, slash) == "..") return true;
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return false;
}

}  // namespace

bool Flag::read(const Value& from, bool& into) const {
    const bool* flag = from.as<bool>();
    if (flag == nullptr) {
        const auto* text = from.as<std::string>();
        const bool quotes = text != nullptr && (*text == "true" || *text == "false");
        return from.wrong_kind("true or false", quotes ? "without quotes" : "");
    }
    into = *flag;
    return true;
}

bool Text::read(const Value& from, std::string& into) const {
    const auto* text = from.text(expected);
    if (text == nullptr) return false;
    if (text->empty() && !optional) return from.problem("must not be empty");
    if (rule != nullptr && !text->empty()) {
        if (std::string objection = rule(*text); !objection.empty()) return from.problem(objection);
    }
    into = *text;
    return true;
}

bool User::read(const Value& from, std::string& into) const {
    constexpr std::int64_t largest_id =
        0xfffffffe;  // -1 means "leave it" to chown(2) and setuid(2)
    constexpr std::string_view expected = R"(a user such as "1000:1000" or "www-data")";
    std::string name;
    if (const auto* id = from.as<std::int64_t>()) {
        if (*id < 0) return from.problem("a user's number is not negative");
        name = std::to_string(*id);
    } else if (const auto* text = from.text(expected)) {
        name = *text;
    } else {
        return false;
    }
    const auto good = [&](std::string_view part) {
        if (part.empty() || part.size() > 256 || part.front() == '-') return false;
        if (part.find_first_not_of("0123456789") == std::string_view::npos) {
            return part.size() <= 10 && std::stoll(std::string{part}) <= largest_id;
        }
        return std::none_of(part.begin(), part.end(), [](char c) {
            return c == ':' || c == '/' || c == ',' || static_cast<unsigned char>(c) <= ' ' ||
                   c == 0x7f;
        });
    };
    const std::size_t colon = std::min(name.find(':'), name.size());
    if (!name.empty() &&
        (!good(std::string_view{name}.substr(0, colon)) ||
         (colon < name.size() && !good(std::string_view{name}.substr(colon + 1))))) {
        return from.problem("expected " + std::string{expected} + ", got " + in_quotes(name));
    }
    into = name;
    return true;
}

bool Size::read(const Value& from, Bytes& into) const {
    Bytes size = 0;
    std::string hint;
    if (const auto* count = from.as<std::int64_t>()) {
        if (*count < 0) return from.problem("a size is not negative");
        size = static_cast<Bytes>(*count);
        hint = "a plain number is bytes: did you mean \"" + std::to_string(*count) + "m\"?";
    } else if (from.as<std::string>() == nullptr) {
        return from.wrong_kind(size_expected);
    } else if (const auto* text = from.text(size_expected)) {
        const auto parsed = parse_size(*text);
        if (!parsed) {
            return from.problem("expected " + std::string{size_expected} + ", got " +
                                in_quotes(*text));
        }
        size = *parsed;
    } else {
        return false;
    }
    if (size < least) {
        return from.problem("too small: at least " + format_size(least), size > 0 ? hint : "");
    }
    into = size;
    return true;
}

bool SizeOrUnlimited::read(const Value& from, std::int64_t& into) const {
    const auto* count = from.as<std::int64_t>();
    const auto* text = from.as<std::string>();
    if ((count != nullptr && *count == -1) || (text != nullptr && *text == "-1")) {
        into = -1;
        return true;
    }
    Bytes size = 0;
    if (!Size{}.read(from, size)) return false;
    into =
        static_cast<std::int64_t>(std::min<Bytes>(size, std::numeric_limits<std::int64_t>::max()));
    return true;
}

Node SizeOrUnlimited::write(std::int64_t value) const {
    if (value < 0) return node_of(value);
    return node_of(exact_size(static_cast<Bytes>(value)));
}

bool Time::read(const Value& from, Duration& into) const {
    if (const auto* count = from.as<std::int64_t>()) {
        return from.wrong_kind(time_expected,
                               "a unit is needed: \"" + std::to_string(*count) + "s\"?");
    }
    const auto* text = from.text(time_expected);
    if (text == nullptr) return false;
    const auto time = parse_duration(*text);
    if (!time) {
        return from.problem("expected " + std::string{time_expected} + ", got " + in_quotes(*text));
    }
    // Beyond a century the monotonic clock's nanoseconds would overflow when it is added to them.
    if (*time < least || *time > longest_time) {
        return from.problem(range(format_duration(least), "36500d"));
    }
    into = *time;
    return true;
}

bool Integer::read_number(const Value& from, std::int64_t& into) const {
    const auto* count = from.as<std::int64_t>();
    if (count == nullptr) {
        const auto* text = from.as<std::string>();
        const bool digits = text != nullptr && !text->empty() &&
                            text->find_first_not_of("0123456789") == std::string::npos;
        return from.wrong_kind("an integer", digits ? "without quotes" : "");
    }
    if ((*count < least || *count > most) && *count != also) {
        return from.problem(range(std::to_string(least), std::to_string(most)) +
                            (also ? ", or " + std::to_string(*also) : ""));
    }
    into = *count;
    return true;
}

bool Real::read(const Value& from, double& into) const {
    double value = 0;
    if (const auto* real = from.as<double>()) {
        value = *real;
    } else if (const auto* whole = from.as<std::int64_t>()) {
        value = static_cast<double>(*whole);
    } else {
        return from.wrong_kind("a number",
                               from.as<std::string>() != nullptr ? "without quotes" : "");
    }
    // Not a number compares false with everything, hence the negation.
    if (!(value >= least && value <= most)) return from.problem(range(number(least), number(most)));
    into = value;
    return true;
}

bool SignalNumber::read(const Value& from, int& into) const {
    constexpr std::string_view expected = R"(a signal such as "SIGTERM")";
    std::string text;
    if (const auto* number = from.as<std::int64_t>()) {
        text = std::to_string(*number);
    } else if (const auto* name = from.text(expected)) {
        text = *name;
    } else {
        return false;
    }
    const auto signal = parse_signal(text);
    if (!signal)
        return from.problem("expected " + std::string{expected} + ", got " + in_quotes(text));
    into = *signal;
    return true;
}

bool Cpuset::read(const Value& from, std::string& into) const {
    constexpr std::string_view expected = R"(cpus such as "0-3,7")";
    if (const auto* number = from.as<std::int64_t>()) {
        return from.wrong_kind(expected, "in quotes: \"" + std::to_string(*number) + "\"");
    }
    const auto* text = from.text(expected);
    if (text == nullptr) return false;
    if (text->empty()) {
        into.clear();
        return true;
    }
    const auto cpus = parse_cpuset(*text);
    if (!cpus) {
        return from.problem("expected " + std::string{expected} + ", got " + in_quotes(*text));
    }
    into = *cpus;
    return true;
}

std::string absolute_path(std::string_view text) {
    constexpr std::size_t longest = 4095;  // PATH_MAX with its NUL is 4096
    if (text.front() != '/') return "expected an absolute path, got " + in_quotes(text);
    if (has_parent_step(text)) return "a path with `..`: " + in_quotes(text);
    if (text.size() > longest) return "a path of more than 4095 bytes";
    return {};
}

std::string root_directory(std::string_view text) {
    if (std::string objection = absolute_path(text); !objection.empty()) return objection;
    if (text.find_first_not_of("/.") != std::string_view::npos) return {};
    return "is the host's own root: leave `rootfs` out to run on it copy-on-write";
}

std::string socket_path(std::string_view text) {
    constexpr std::size_t longest = 107;  // sun_path, unix(7)
    if (std::string objection = absolute_path(text); !objection.empty()) return objection;
    return text.size() > longest ? "a socket's path has at most 107 bytes" : "";
}

std::string host_name(std::string_view text) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_';
    };
    if (text.size() <= 64 && std::all_of(text.begin(), text.end(), good)) return {};
    return "not a host name: " + in_quotes(text) + "; up to 64 of a-z A-Z 0-9 . - _";
}

}  // namespace mydocker::config
