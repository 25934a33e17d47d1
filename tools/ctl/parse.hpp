// The command line, from the words in argv to a Command and its Arguments. It prints nothing and
// asks nobody; CLI11 stays inside parse.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/command.hpp"

namespace mydocker::ctl {

struct Parsed {
    const Command* command = nullptr;  // none: `help` is the answer, or `version` was asked for
    Arguments arguments;               // global options are among them
    std::string help;                  // not empty: print it and end
    bool version = false;              // --version
};

// Throws UsageError, or CommandUsageError once a command is known.
Parsed parse_command_line(const std::vector<std::string>& words,
                          const std::vector<Command>& commands);

// Options every command takes, before or after its name.
const std::vector<Option>& global_options();

// The book's single-dash spellings -mem, -cpu, -cpuset and -cpushare become --memory, --cpus,
// --cpuset-cpus and --cpu-shares, as far as the options go: never in the workload's command line.
std::vector<std::string> normalise_spellings(std::vector<std::string> words,
                                             std::span<const Option> options);

// "-m,--memory" -> -m, --memory
std::vector<std::string_view> split_names(std::string_view names);
const Option* find_option(std::span<const Option> options, std::string_view name);

// Whether the word after this option word is its value. Unknown options take none: CLI11 will
// reject them.
bool value_follows(std::string_view word, std::span<const Option> options);

// The index of the first word that is neither an option nor an option's value; a `--` counts.
std::size_t first_operand(std::span<const std::string> words, std::span<const Option> options);

}  // namespace mydocker::ctl
