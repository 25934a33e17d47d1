// A command of mydocker-ctl as data: its name, its options, what it is for and the function that
// does it. registry.cpp lists them all; adding one is adding a row in its group's file.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/client.hpp"
#include "tools/ctl/output.hpp"

namespace mydocker::ctl {

struct Option {
    std::string_view names;  // "-m,--memory"; the first long name is its key in Arguments
    std::string_view value;  // "SIZE" in the help text; empty: a flag
    std::string_view help;
    bool repeats = false;  // may be given several times; otherwise the last one wins
};

// The first long name without its dashes: "memory".
std::string key_of(const Option& option);

struct Arguments {
    std::map<std::string, std::vector<std::string>, std::less<>> options;  // by key_of()
    std::vector<std::string> operands;

    bool has(std::string_view key) const { return options.find(key) != options.end(); }
    std::string get(std::string_view key, std::string_view otherwise = {}) const;
    std::vector<std::string> all(std::string_view key) const;
};

// Everything a command has to work with.
struct Context {
    Arguments arguments;
    Client client;
    Output output;
};

struct Command {
    std::string_view group;     // heading in the list of commands; empty: it is not listed
    std::string_view name;      // "stop", "config check"
    std::string_view operands;  // "NAME [NAME...]"
    std::string_view summary;
    int (*perform)(const Context&);
    std::vector<Option> options = {};
    unsigned least_operands = 0;
    unsigned most_operands = 0;   // unlimited is a constant below
    bool shows_records = false;   // --format and --no-trunc apply
    bool can_be_quiet = false;    // --quiet applies
    bool passes_rest = false;     // options end at the first operand: the rest is a command line
    std::string_view notes = {};  // further help, after the options
};

inline constexpr unsigned unlimited = ~0U;

// One function a group of commands.
std::vector<Command> container_commands();  // create start stop restart kill wait rm …
std::vector<Command> view_commands();       // ps inspect status explain
std::vector<Command> stream_commands();     // logs events
std::vector<Command> stats_commands();      // stats
std::vector<Command> manage_commands();     // update rename top
std::vector<Command> watch_commands();      // watch
std::vector<Command> daemon_commands();     // up down reload config daemon version
std::vector<Command> file_commands();       // cp export diff
std::vector<Command> run_commands();        // run create
std::vector<Command> attach_commands();     // attach exec
std::vector<Command> completion_commands();

const std::vector<Command>& all_commands();

}  // namespace mydocker::ctl
