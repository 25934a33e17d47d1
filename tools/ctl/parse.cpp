// Only this file includes CLI11. It splits the words where CLI11 must not look (the workload's own
// command line), then lets CLI11 read the options of the one command that was named.
#include "tools/ctl/parse.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <sstream>

#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

namespace {

struct Spelling {
    std::string_view book;
    std::string_view ours;
};
constexpr std::array<Spelling, 4> book_spellings{{{"-mem", "--memory"},
                                                  {"-cpu", "--cpus"},
                                                  {"-cpuset", "--cpuset-cpus"},
                                                  {"-cpushare", "--cpu-shares"}}};

std::string_view spell(std::string_view word) {
    for (const Spelling& spelling : book_spellings) {
        if (word == spelling.book) return spelling.ours;
    }
    return word;
}

bool is_option_word(std::string_view word) { return word.size() > 1 && word.front() == '-'; }

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
            diagonal = above;
        }
    }
    return row[b.size()];
}

// ". Did you mean --memory?", or nothing where no candidate is near.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
    std::string_view best;
    std::size_t distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t found = edit_distance(word, candidate);
        if (found < distance) {
            distance = found;
            best = candidate;
        }
    }
    return best.empty() ? std::string{} : ". Did you mean " + std::string(best) + '?';
}

class HelpFormatter : public CLI::Formatter {
public:
    explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) { column_width(34); }
    std::string make_usage(const CLI::App*, std::string) const override { return usage_; }
    // CLI11 appends its own remarks on types and repetition here; the value's name is enough.
    std::string make_option_opts(const CLI::Option* option) const override {
        return option->get_type_size() == 0 ? "" : " " + option->get_type_name();
    }

private:
    std::string usage_;
};

std::string command_list(const std::vector<Command>& commands) {
    std::string text =
        "mydocker-ctl: run and supervise containers through mydockerd.\n"
        "Usage: mydocker-ctl [GLOBAL OPTIONS] COMMAND …\n";
    std::string_view group;
    for (const Command& command : commands) {
        if (command.group.empty()) continue;
        if (command.group != group) {
            group = command.group;
            text += '\n' + std::string(group) + ":\n";
        }
        std::string name = "  " + std::string(command.name);
        name.resize(std::max<std::size_t>(name.size() + 2, 19), ' ');
        text += name + std::string(command.summary) + '\n';
    }
    text += "\nGlobal options (before or after the command):\n";
    for (const Option& option : global_options()) {
        std::string name = "  " + std::string(option.names);
        if (!option.value.empty()) name += ' ' + std::string(option.value);
        name.resize(std::max<std::size_t>(name.size() + 2, 26), ' ');
        text += name + std::string(option.help) + '\n';
    }
    return text + "\nmydocker-ctl COMMAND --help says more about one command.\n";
}

// Two words where there is a command of two words; throws for no command at all.
const Command& find_command(std::span<const std::string> words,
                            const std::vector<Command>& commands) {
    const std::string& first = words[0];
    const std::string both = words.size() > 1 ? first + ' ' + words[1] : first;
    std::vector<std::string_view> names;
    std::string members;
    for (const Command& command : commands) {
        if (command.name == first || command.name == both) return command;
        if (!command.group.empty()) names.push_back(command.name);
        if (command.name.starts_with(first + ' ')) {
            members +=
                (members.empty() ? "" : "|") + std::string(command.name.substr(first.size() + 1));
        }
    }
    if (!members.empty()) throw UsageError("which one? mydocker-ctl " + first + ' ' + members);
    throw UsageError("there is no command '" + first + '\'' + suggestion(first, names));
}

void check_operands(const Command& command, const std::vector<std::string>& operands) {
    if (operands.size() < command.least_operands) {
        throw CommandUsageError("missing " + std::string(command.operands), command.name);
    }
    if (operands.size() > command.most_operands) {
        throw CommandUsageError("unexpected '" + operands[command.most_operands] + '\'',
                                command.name);
    }
}

std::string explain(const CLI::ParseError& error, const std::vector<std::string>& words,
                    std::span<const Option> options) {
    if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
    for (const std::string& word : words) {
        const std::string name = word.substr(0, word.find('='));
        if (word == "--") break;
        if (!name.starts_with("--") || find_option(options, name) != nullptr) continue;
        std::vector<std::string_view> known;
        for (const Option& option : options) {
            for (const std::string_view one : split_names(option.names)) {
                if (one.starts_with("--")) known.push_back(one);
            }
        }
        return "unknown option " + name + suggestion(name, known);
    }
    return error.what();
}

// `--option=` is an empty value; CLI11 would take the next word for it.
std::vector<std::string> with_empty_values(const std::vector<std::string>& words,
                                           std::span<const Option> options) {
    std::vector<std::string> spelled;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--") {
            spelled.insert(spelled.end(), words.begin() + static_cast<std::ptrdiff_t>(i),
                           words.end());
            break;
        }
        std::string word = words[i];
        const bool ends_empty = word.starts_with("--") && word.find('=') == word.size() - 1;
        if (ends_empty) word.pop_back();
        const bool is_empty_value = ends_empty && value_follows(word, options);
        spelled.push_back(is_empty_value ? word : words[i]);
        if (is_empty_value) spelled.emplace_back();
    }
    return spelled;
}

// Lets CLI11 read `words` as the command's options (and operands) into `parsed`.
void read_options(Parsed& parsed, const std::vector<std::string>& words,
                  std::span<const Option> options) {
    const Command& command = *parsed.command;
    CLI::App app{std::string(command.summary)};
    std::string usage = "Usage: mydocker-ctl " + std::string(command.name) + " [OPTIONS]";
    if (!command.operands.empty()) usage += ' ' + std::string(command.operands);
    app.formatter(std::make_shared<HelpFormatter>(usage + '\n'));
    app.footer(std::string(command.notes));
    app.set_help_flag(find_option(command.options, "-h") == nullptr ? "-h,--help" : "--help",
                      "this text");
    // Values are taken raw: CLI11's conversions give "{}" and "[a,b]" meanings of their own.
    const CLI::callback_t keep = [](const CLI::results_t&) { return true; };
    std::vector<CLI::Option*> added;
    for (const Option& option : options) {
        const std::string names(option.names);
        const std::string help(option.help);
        if (option.value.empty()) {
            added.push_back(app.add_flag(names, help));
        } else {
            added.push_back(app.add_option(names, keep, help)
                                ->type_name(std::string(option.value))
                                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
        }
        added.back()->group(added.size() <= command.options.size() ? "Options" : "Global options");
    }
    CLI::Option* operands = nullptr;
    if (!command.passes_rest) {
        operands = app.add_option("operands", keep)->expected(-1)->group("");
        operands->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    const std::vector<std::string> given = with_empty_values(words, options);
    try {
        app.parse(std::vector<std::string>(given.rbegin(), given.rend()));  // read from the back
    } catch (const CLI::CallForHelp&) {
        parsed.help = app.help();
        // CLI11 puts blank lines freely around groups and footers.
        for (std::size_t at; (at = parsed.help.find("\n\n\n")) != std::string::npos;) {
            parsed.help.erase(at, 1);
        }
        while (parsed.help.ends_with("\n\n")) parsed.help.pop_back();
        return;
    } catch (const CLI::ParseError& error) {
        throw CommandUsageError(explain(error, words, options), command.name);
    }
    for (std::size_t i = 0; i < options.size(); ++i) {
        if (added[i]->count() == 0) continue;
        const std::vector<std::string>& values = added[i]->results();
        const bool is_flag = options[i].value.empty();
        // `--rm=false` is how scripts say no.
        if (is_flag && (values.back() == "false" || values.back() == "0")) continue;
        parsed.arguments.options[key_of(options[i])] = values;
    }
    if (operands != nullptr) parsed.arguments.operands = operands->results();
}

}  // namespace

std::vector<std::string_view> split_names(std::string_view names) {
    std::vector<std::string_view> list;
    while (!names.empty()) {
        const std::size_t comma = std::min(names.find(','), names.size());
        list.push_back(names.substr(0, comma));
        names.remove_prefix(std::min(comma + 1, names.size()));
    }
    return list;
}

const Option* find_option(std::span<const Option> options, std::string_view name) {
    for (const Option& option : options) {
        for (const std::string_view known : split_names(option.names)) {
            if (known == name) return &option;
        }
    }
    return nullptr;
}

bool value_follows(std::string_view word, std::span<const Option> options) {
    if (word.starts_with("--")) {
        const Option* option = find_option(options, word);
        return option != nullptr && !option->value.empty();
    }
    for (std::size_t i = 1; i < word.size(); ++i) {  // -dm, -m50m
        const Option* option = find_option(options, std::string{'-', word[i]});
        if (option == nullptr) return false;
        if (!option->value.empty()) return i + 1 == word.size();
    }
    return false;
}

std::string key_of(const Option& option) {
    for (std::string_view name : split_names(option.names)) {
        if (name.starts_with("--")) return std::string(name.substr(2));
    }
    return std::string(option.names);
}

const std::vector<Option>& global_options() {
    static const std::vector<Option> options = {
        {"-H,--host", "SOCKET", "mydockerd's socket (or $MYDOCKER_HOST)"},
        {"--format", "FORMAT", "table, json, or a template such as '{{.Name}}\\t{{.State}}'"},
        {"-q,--quiet", "", "print only what a script needs, or nothing"},
        {"--no-trunc", "", "do not cut long values short"},
    };
    return options;
}

std::size_t first_operand(std::span<const std::string> words, std::span<const Option> options) {
    std::size_t i = 0;
    while (i < words.size() && is_option_word(words[i]) && words[i] != "--") {
        i += value_follows(spell(words[i]), options) ? 2 : 1;
    }
    return std::min(i, words.size());
}

std::vector<std::string> normalise_spellings(std::vector<std::string> words,
                                             std::span<const Option> options) {
    for (std::size_t i = 0; i < words.size() && is_option_word(words[i]) && words[i] != "--";) {
        const std::size_t end = std::min(words[i].find('='), words[i].size());
        const std::string_view ours = spell(std::string_view(words[i]).substr(0, end));
        words[i].replace(0, end, std::string(ours));
        i += value_follows(words[i], options) ? 2 : 1;
    }
    return words;
}

Parsed parse_command_line(const std::vector<std::string>& words,
                          const std::vector<Command>& commands) {
    Parsed parsed;
    const std::size_t name_at = first_operand(words, global_options());
    const auto name_it = words.begin() + static_cast<std::ptrdiff_t>(name_at);
    const auto given = [&](std::string_view flag) {
        return std::find(words.begin(), name_it, flag) != name_it;
    };
    if (words.empty() || given("--help") || given("-h")) {
        parsed.help = command_list(commands);
        return parsed;
    }
    if (given("--version")) {
        parsed.version = true;
        return parsed;
    }
    if (name_it == words.end()) throw UsageError("which command?");
    if (*name_it == "help") {
        std::vector<std::string> question(name_it + 1, words.end());
        if (!question.empty()) question.emplace_back("--help");
        return parse_command_line(question, commands);
    }

    const std::span<const std::string> after = std::span(words).subspan(name_at);
    const Command& command = find_command(after, commands);
    std::vector<Option> options = command.options;
    options.insert(options.end(), global_options().begin(), global_options().end());
    const bool two_words = command.name.find(' ') != std::string_view::npos;
    std::vector<std::string> rest(after.begin() + (two_words ? 2 : 1), after.end());
    std::vector<std::string> workload;
    if (command.passes_rest) {
        rest = normalise_spellings(std::move(rest), options);
        const auto end = rest.begin() + static_cast<std::ptrdiff_t>(first_operand(rest, options));
        workload.assign(end + (end != rest.end() && *end == "--" ? 1 : 0), rest.end());
        rest.erase(end, rest.end());
    }
    rest.insert(rest.begin(), words.begin(), name_it);
    parsed.command = &command;
    read_options(parsed, rest, options);
    if (!parsed.help.empty()) return parsed;
    if (command.passes_rest) parsed.arguments.operands = std::move(workload);
    check_operands(command, parsed.arguments.operands);
    return parsed;
}

}  // namespace mydocker::ctl
