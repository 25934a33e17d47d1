// The rows behind run_options.hpp: each option that describes a container, how its text is read and
// the TOML key it becomes.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/ctl/command.hpp"

namespace mydocker::ctl {

enum class Kind : std::uint8_t {
    text,
    flag,
    integer,
    number,
    size,
    size_or_unlimited,  // -1 as well
    duration,
    seconds,  // docker's bare number of seconds, or a duration
    path,     // made absolute: the daemon's working directory is another
    volume,
    list,
    words,     // "exit,oom": a list in one value
    variable,  // K=V or K of the client's environment
    variable_file,
    ulimit,
    log_option,
    policy  // "on-failure:5"
};

struct Row {
    Option option;
    Kind kind;
    const char* key;         // the TOML key, dotted where it is in a table
    bool updatable = false;  // mydockerd can change it while a container lives
};

// In the order of the help text, which is also the order of translation.
const std::vector<Row>& container_rows();

}  // namespace mydocker::ctl
