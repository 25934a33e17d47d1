// Reading and writing of volumes, tmpfs, ulimits, capabilities, commands, environments and
// statuses.
#include "config/word_codec.hpp"

#include <array>
#include <set>

namespace mydocker::config {

namespace {

// Docker's names; the runtime knows their RLIMIT_ numbers.
const std::vector<std::string_view> ulimit_names{
    "as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
    "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

// Where something is mounted inside the container.
std::string mount_target(std::string_view path) {
    if (path.empty()) return "the target is missing";
    if (std::string objection = absolute_path(path); !objection.empty())
        return "target: " + objection;
    if (path.find_first_not_of("/.") == std::string_view::npos)
        return "the target cannot be the root";
    return {};
}

std::optional<unsigned> parse_mode(std::string_view text) {
    if (text.empty() || text.size() > 5) return std::nullopt;
    unsigned mode = 0;
    for (const char c : text) {
        if (c < '0' || c > '7') return std::nullopt;
        mode = mode * 8 + static_cast<unsigned>(c - '0');
    }
    return mode <= 07777 ? std::optional{mode} : std::nullopt;
}

std::string octal(unsigned mode) {
    std::string out;
    for (; mode != 0; mode /= 8) out.insert(out.begin(), static_cast<char>('0' + mode % 8));
    return out.empty() ? "0" : out;
}

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

std::optional<std::uint64_t> parse_limit(std::string_view text) {
    if (text == "unlimited" || text == "-1") return unlimited;
    if (text.empty() || text.size() > 19) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');  // 19 digits fit
    }
    return value;
}

std::string limit_text(std::uint64_t value) {
    return value == unlimited ? "unlimited" : std::to_string(value);
}

// A soft or hard limit on its own: 1024, "1024", "unlimited".
bool read_limit(const Value& from, std::uint64_t& into) {
    std::string text;
    if (const auto* number = from.as<std::int64_t>()) {
        text = std::to_string(*number);
    } else if (const auto* word = from.as<std::string>()) {
        text = *word;
    } else {
        return from.wrong_kind("a limit such as 1024 or \"unlimited\"");
    }
    const auto limit = parse_limit(text);
    if (!limit) {
        return from.problem("expected a limit such as 1024 or \"unlimited\", got " +
                            in_quotes(text));
    }
    into = *limit;
    return true;
}

bool read_ulimit(const Value& from, Ulimit& into) {
    if (from.as<Node::Table>() != nullptr) {
        struct {
            bool read(const Value& value, std::uint64_t& limit) const {
                return read_limit(value, limit);
            }
        } limit;
        TableReader reader{from};
        reader("soft", into.soft, limit);
        reader("hard", into.hard, limit);
        if (!reader.finish()) return false;
        if (!from.has("soft") || !from.has("hard"))
            return from.problem("needs both `soft` and `hard`");
    } else if (const auto* text = from.as<std::string>();
               text != nullptr && text->find(':') != std::string::npos) {
        const auto parts = split(*text, ':');
        const auto soft = parse_limit(parts[0]);
        const auto hard = parse_limit(parts[1]);
        if (parts.size() != 2 || !soft || !hard) {
            return from.problem(R"(expected "SOFT:HARD" such as "1024:2048", got )" +
                                in_quotes(*text));
        }
        into.soft = *soft;
        into.hard = *hard;
    } else {
        if (!read_limit(from, into.soft)) return false;
        into.hard = into.soft;
    }
    if (into.soft > into.hard) {
        return from.problem("the soft limit " + limit_text(into.soft) +
                            " is above the hard limit " + limit_text(into.hard));
    }
    return true;
}

}  // namespace

bool VolumeWord::read(const Value& from, Volume& into) const {
    constexpr std::string_view expected = R"(a volume such as "/srv/data:/data:ro")";
    const auto* text = from.text(expected);
    if (text == nullptr) return false;
    const auto parts = split(*text, ':');
    if (parts.size() < 2 || parts.size() > 3) {
        return from.problem("expected " + std::string{expected} + ", got " + in_quotes(*text));
    }
    if (valid_name(parts[0])) {
        return from.problem("named volumes are not supported yet: " + in_quotes(*text),
                            "use an absolute path on the host");
    }
    if (parts[0].empty()) return from.problem("the source is missing");
    if (std::string objection = absolute_path(parts[0]); !objection.empty()) {
        return from.problem("source: " + objection);
    }
    if (std::string objection = mount_target(parts[1]); !objection.empty()) {
        return from.problem(objection);
    }
    if (parts.size() == 3 && parts[2] != "ro" && parts[2] != "rw") {
        return from.problem("unknown option " + in_quotes(parts[2]), R"(only "ro" and "rw")");
    }
    into = {std::string{parts[0]}, std::string{parts[1]}, parts.size() == 3 && parts[2] == "ro"};
    return true;
}

Node VolumeWord::write(const Volume& value) const {
    return node_of(value.source + ':' + value.target + (value.read_only ? ":ro" : ""));
}

bool TmpfsWord::read(const Value& from, Tmpfs& into) const {
    const auto* text = from.text(R"(a tmpfs such as "/tmp:size=64m")");
    if (text == nullptr) return false;
    const std::size_t colon = std::min(text->find(':'), text->size());
    Tmpfs tmpfs;
    tmpfs.target = text->substr(0, colon);
    if (std::string objection = mount_target(tmpfs.target); !objection.empty()) {
        return from.problem(objection);
    }
    if (colon < text->size()) {
        for (const std::string_view option :
             split(std::string_view{*text}.substr(colon + 1), ',')) {
            if (option.starts_with("size=")) {
                tmpfs.size = parse_size(option.substr(5));
                // To the kernel a size of 0 means no limit at all.
                if (!tmpfs.size || *tmpfs.size == 0) {
                    return from.problem("expected a size such as \"size=64m\", got " +
                                        in_quotes(option));
                }
            } else if (option.starts_with("mode=")) {
                const auto mode = parse_mode(option.substr(5));
                if (!mode) {
                    return from.problem("expected an octal mode such as \"mode=1777\", got " +
                                        in_quotes(option));
                }
                tmpfs.mode = *mode;
            } else {
                return from.problem("unknown option " + in_quotes(option), "only size= and mode=");
            }
        }
    }
    into = std::move(tmpfs);
    return true;
}

Node TmpfsWord::write(const Tmpfs& value) const {
    return node_of(value.target + ":mode=" + octal(value.mode) +
                   (value.size ? ",size=" + exact_size(*value.size) : ""));
}

bool Ulimits::read(const Value& from, std::vector<Ulimit>& into) const {
    const auto* table = from.as<Node::Table>();
    if (table == nullptr) return from.wrong_kind(R"(a table such as { nofile = "1024:2048" })");
    bool fine = true;
    into.clear();
    for (const Member& member : *table) {
        const auto known = std::find(ulimit_names.begin(), ulimit_names.end(), member.key);
        Ulimit limit{member.key, 0, 0};
        if (known == ulimit_names.end()) {
            fine = from.unknown(member, ulimit_names);
        } else if (read_ulimit(from.member(member), limit)) {
            into.push_back(std::move(limit));
        } else {
            fine = false;
        }
    }
    std::sort(into.begin(), into.end(),
              [](const Ulimit& a, const Ulimit& b) { return a.name < b.name; });
    return fine;
}

Node Ulimits::write(const std::vector<Ulimit>& values) const {
    Node::Table table;
    for (const Ulimit& value : values) {
        table.push_back(
            {value.name, {}, node_of(limit_text(value.soft) + ':' + limit_text(value.hard))});
    }
    return node_of(std::move(table));
}

bool Capability::read(const Value& from, std::string& into) const {
    const auto* text = from.text("a capability such as \"NET_ADMIN\"");
    if (text == nullptr) return false;
    auto name = parse_capability(*text);
    if (!name) return from.problem("unknown capability " + in_quotes(*text), "see capabilities(7)");
    into = std::move(*name);
    return true;
}

bool Command::read(const Value& from, std::vector<std::string>& into) const {
    std::vector<std::string> words;
    if (from.as<std::string>() != nullptr) {
        const auto* line = from.text("a command");
        if (line == nullptr) return false;
        auto split_line = split_words(*line);
        if (!split_line) return from.problem("a quote is not closed in " + in_quotes(*line));
        words = std::move(*split_line);
    } else if (from.as<Node::Array>() != nullptr) {
        const List<Text> list{Text{nullptr, true}, "an array of strings"};
        if (!list.read(from, words)) return false;
    } else {
        return from.wrong_kind("an array of strings, or one string");
    }
    if (words.empty() && !optional) return from.problem("must not be empty");
    if (!words.empty() && words.front().empty())
        return from.problem("its first word must not be empty");
    into = std::move(words);
    return true;
}

Node Command::write(const std::vector<std::string>& value) const {
    return List<Text>{Text{}, ""}.write(value);
}

std::string bad_variable(std::string_view name) {
    if (name.empty()) return "the name of a variable is missing";
    if (name.find('=') != std::string_view::npos) return "a variable's name holds no `=`";
    if (name.find('\0') != std::string_view::npos) return "contains a NUL byte";
    return {};
}

bool Environment::read(const Value& from, std::map<std::string, std::string>& into) const {
    std::map<std::string, std::string> variables;
    bool fine = true;
    const auto add = [&](const Value& at, const std::string& name, std::string value) {
        if (std::string objection = bad_variable(name); !objection.empty()) {
            fine = at.problem(objection);
        } else if (!variables.emplace(name, std::move(value)).second) {
            fine = at.problem(in_quotes(name) + " is set twice");
        }
    };
    if (const auto* table = from.as<Node::Table>()) {
        for (const Member& member : *table) {
            const Value at = from.member(member);
            if (const auto* number = at.as<std::int64_t>()) {
                add(at, member.key, std::to_string(*number));
            } else if (at.as<std::string>() == nullptr) {
                fine = at.wrong_kind("a string or an integer", "put it in quotes");
            } else if (const auto* text = at.text("a string")) {
                add(at, member.key, *text);
            } else {
                fine = false;
            }
        }
    } else if (const auto* array = from.as<Node::Array>()) {
        for (std::size_t index = 0; index < array->size(); ++index) {
            const Value at = from.element(index);
            const auto* text = at.text("\"KEY=VALUE\"");
            if (text == nullptr) {
                fine = false;
            } else if (const std::size_t equals = text->find('='); equals == std::string::npos) {
                fine = at.problem("expected \"KEY=VALUE\", got " + in_quotes(*text));
            } else {
                add(at, text->substr(0, equals), text->substr(equals + 1));
            }
        }
    } else {
        return from.wrong_kind("a table, or an array of \"KEY=VALUE\"");
    }
    into = std::move(variables);
    return fine;
}

Node Environment::write(const std::map<std::string, std::string>& value) const {
    Node::Table table;
    for (const auto& [name, text] : value) table.push_back({name, {}, node_of(text)});
    return node_of(std::move(table));
}

bool StatusWord::read(const Value& from, Status& into) const {
    if (from.as<std::int64_t>() != nullptr) {
        int code = 0;
        if (!Integer{0, 255}.read(from, code)) return false;
        into = {Status::Kind::code, code};
        return true;
    }
    constexpr std::string_view expected = R"(an exit code such as 78 or a signal such as "SIGSYS")";
    const auto* text = from.text(expected);
    if (text == nullptr) return false;
    const bool digits = text->find_first_not_of("0123456789") == std::string::npos;
    const auto signal = digits ? std::nullopt : parse_signal(*text);
    if (!signal) {
        return from.problem("expected " + std::string{expected} + ", got " + in_quotes(*text),
                            digits && !text->empty() ? "an exit code stands without quotes" : "");
    }
    into = {Status::Kind::signal, *signal};
    return true;
}

Node StatusWord::write(const Status& value) const {
    if (value.kind == Status::Kind::code) return node_of(std::int64_t{value.number});
    return node_of(signal_name(value.number));
}

}  // namespace mydocker::config
