// See complete.hpp.
#include "tools/ctl/complete.hpp"

#include <algorithm>
#include <array>

#include "tools/ctl/parse.hpp"

namespace mydocker::ctl {

namespace {

using Files = Completions::Files;
using Words = std::vector<std::string>;

struct Values {
    std::string_view name;  // as options and operands name a value in the help text
    Files files;
    std::vector<std::string_view> known;
};

const Values* values_named(std::string_view name) {
    static const std::vector<Values> table = {
        {"FILE", Files::files, {}},
        {"SOCKET", Files::files, {}},
        {"SRC:DST[:ro]", Files::files, {}},
        {"COMMAND", Files::files, {}},
        {"ARG", Files::files, {}},
        {"DIR", Files::directories, {}},
        {"FORMAT", Files::none, {"table", "json"}},
        {"MODE", Files::none, {"none", "host"}},
        {"ACTION", Files::none, {"fail", "delay", "shutdown"}},
        {"WHEN", Files::none, {"yes", "no", "unless-stopped"}},
        {"POLICY", Files::none, {"continue", "stop", "kill"}},
        {"POLICY[:N]",
         Files::none,
         {"no", "always", "unless-stopped", "on-failure", "on-success", "on-abnormal"}},
        {"SIGNAL",
         Files::none,
         {"SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGSTOP",
          "SIGCONT", "SIGWINCH"}},
    };
    for (const Values& values : table) {
        if (values.name == name) return &values;
    }
    return nullptr;
}

// `--opt`, `=`, `value`: bash has cut what was one word. Only what stands before the cursor is
// joined again; at the cursor, the part that bash will replace is what it asks for.
Words joined(const Words& words) {
    Words whole;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool is_cut = words[i] == "=" && !whole.empty() && whole.back().starts_with("--");
        if (!is_cut) {
            whole.push_back(words[i]);
            continue;
        }
        whole.back() += '=';
        if (i + 1 < words.size()) whole.back() += words[++i];
    }
    return whole;
}

// "NAME [NAME...]" -> NAME, NAME…: the name of the operand at this place; "" where there is none.
std::string operand_name(std::string_view operands, std::size_t index) {
    std::string name;
    std::size_t at = 0;
    bool repeats = false;
    for (std::size_t i = 0; !operands.empty() && (i <= index || repeats); ++i) {
        const std::size_t blank = std::min(operands.find(' '), operands.size());
        std::string word(operands.substr(0, blank));
        operands.remove_prefix(std::min(blank + 1, operands.size()));
        repeats = word.find("...") != std::string::npos;
        if (repeats) word.erase(word.find("..."), 3);
        if (word.starts_with('[')) word = word.substr(1, word.rfind(']') - 1);
        name = std::move(word);
        at = i;
    }
    return at < index && !repeats ? std::string{} : name;
}

bool fits(std::string_view command, const std::string& state) {
    constexpr std::array resting{"created", "exited", "failed"};
    constexpr std::array<std::string_view, 9> to_the_living{
        "stop", "kill", "attach", "exec", "pause", "unpause", "top", "wait", "stats"};
    const bool rests = std::find(resting.begin(), resting.end(), state) != resting.end();
    if (command == "start") return rests;
    const auto* end = to_the_living.end();
    return !rests || std::find(to_the_living.begin(), end, command) == end;
}

class Completer {
public:
    Completer(std::string prefix, const Ask& ask) : prefix_(std::move(prefix)), ask_(ask) {}

    void add(std::string_view text, std::string_view help = {}) {
        if (!text.starts_with(prefix_)) return;
        found_.candidates.push_back({lead_ + std::string(text), std::string(help)});
    }

    void add_options(const std::vector<Option>& options) {
        for (const Option& option : options) {
            for (const std::string_view name : split_names(option.names)) {
                if (name.starts_with("--") || prefix_ == "-") add(name, option.help);
            }
        }
    }

    void add_values(std::string_view name, std::string_view command) {
        if (name.starts_with("NAME") && name.find('=') == std::string_view::npos) {
            for (const Known& known : ask_(socket_)) {
                if (fits(command, known.state)) add(known.name, known.state);
            }
        } else if (const Values* values = values_named(name)) {
            found_.files = values->files;
            for (const std::string_view value : values->known) add(value);
        } else if (name.find('|') != std::string_view::npos) {
            for (std::string_view rest = name; !rest.empty();) {
                const std::size_t bar = std::min(rest.find('|'), rest.size());
                add(rest.substr(0, bar));
                rest.remove_prefix(std::min(bar + 1, rest.size()));
            }
        }
    }

    // The word is `--option=` and the beginning of a value: candidates are whole words.
    void begin_with(const std::string& lead) {
        lead_ = lead;
        prefix_.erase(0, lead.size());
    }
    void use_socket(const std::string& socket) { socket_ = socket; }
    const std::string& prefix() const { return prefix_; }
    Completions take() { return std::move(found_); }

private:
    std::string prefix_;
    const Ask& ask_;
    std::string lead_;
    std::string socket_;
    Completions found_;
};

// The value of --host among these words, which are options and their values.
std::string socket_in(const Words& words) {
    std::string socket;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool has_next = i + 1 < words.size();
        if ((words[i] == "-H" || words[i] == "--host") && has_next) socket = words[i + 1];
        if (words[i].starts_with("--host=")) socket = words[i].substr(7);
    }
    return socket.starts_with("unix://") ? socket.substr(7) : socket;
}

void add_command_names(Completer& completer, const std::vector<Command>& commands,
                       std::string_view first) {
    std::string_view last;
    for (const Command& command : commands) {
        if (command.group.empty()) continue;
        const std::size_t blank = std::min(command.name.find(' '), command.name.size());
        const std::string_view head = command.name.substr(0, blank);
        if (first.empty()) {
            const bool two_words = blank != command.name.size();
            if (head != last) completer.add(head, two_words ? "" : command.summary);
            last = head;
        } else if (head == first && blank != command.name.size()) {
            completer.add(command.name.substr(blank + 1), command.summary);
        }
    }
}

// The option whose value the cursor is at: `--signal S`, `-s S`; nullptr where it is at none.
const Option* option_before(const Words& before, std::span<const Option> options) {
    if (before.empty() || !value_follows(before.back(), options)) return nullptr;
    const std::string& word = before.back();
    return find_option(options, word.starts_with("--") ? word : std::string{'-', word.back()});
}

// True where the cursor is at an option or its value, which is then dealt with.
bool complete_option(Completer& completer, const Words& before, const std::vector<Option>& options,
                     std::string_view command) {
    if (const Option* option = option_before(before, options)) {
        // A new container's name is the user's to invent.
        if (!option->value.starts_with("NAME")) completer.add_values(option->value, command);
        return true;
    }
    const std::string& prefix = completer.prefix();
    if (!prefix.starts_with('-')) return false;
    const std::size_t equals = prefix.find('=');
    if (equals == std::string::npos) {
        completer.add_options(options);
    } else if (const Option* option = find_option(options, prefix.substr(0, equals))) {
        completer.begin_with(prefix.substr(0, equals + 1));
        completer.add_values(option->value, command);
    }
    return true;
}

}  // namespace

Completions complete(std::vector<std::string> words, const std::vector<Command>& commands,
                     const Ask& ask) {
    if (words.empty()) words.emplace_back();
    std::string current = std::move(words.back());
    words.pop_back();
    // bash at `--format=` or `--format=js`: the last word is "=" or what stands behind it.
    if (current == "=") {
        current.clear();
    } else if (!words.empty() && words.back() == "=") {
        words.pop_back();
    }
    Words before = joined(words);
    Completer completer(current, ask);

    const std::size_t name_at = first_operand(before, global_options());
    const auto at = [](std::size_t index) { return static_cast<std::ptrdiff_t>(index); };
    const Words leading(before.begin(), before.begin() + at(name_at));
    completer.use_socket(socket_in(leading));
    if (name_at == before.size()) {
        if (!complete_option(completer, before, global_options(), {})) {
            add_command_names(completer, commands, {});
        }
        return completer.take();
    }

    const std::string& first = before[name_at];
    const std::string both = name_at + 1 < before.size() ? first + ' ' + before[name_at + 1] : "";
    const auto found = std::find_if(commands.begin(), commands.end(), [&](const Command& command) {
        return command.name == first || command.name == both;
    });
    if (found == commands.end()) {
        if (name_at + 1 == before.size()) add_command_names(completer, commands, first);
        return completer.take();
    }
    const bool two_words = found->name == both;
    Words rest(before.begin() + at(name_at + (two_words ? 2 : 1)), before.end());
    std::vector<Option> options = found->options;
    options.insert(options.end(), global_options().begin(), global_options().end());
    if (const std::string socket = socket_in(rest); !socket.empty()) completer.use_socket(socket);

    std::size_t operands = 0;
    for (std::size_t i = 0; i < rest.size();) {
        const std::size_t options_end = first_operand(std::span(rest).subspan(i), options) + i;
        if (options_end >= rest.size()) break;
        ++operands;
        i = options_end + 1;
        if (!found->passes_rest) continue;
        operands += rest.size() - i;
        break;
    }
    const bool options_over = found->passes_rest && operands > 0;
    if (!options_over && complete_option(completer, rest, options, found->name)) {
        return completer.take();
    }
    if (operands < found->most_operands) {
        completer.add_values(operand_name(found->operands, operands), found->name);
    }
    return completer.take();
}

}  // namespace mydocker::ctl
