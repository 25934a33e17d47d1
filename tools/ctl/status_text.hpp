// What a container's summary says in a few words: "Up 5 seconds", "Exited (3) 2 minutes ago".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tools/ctl/output.hpp"

namespace mydocker::ctl {

std::string status_text(const nlohmann::json& summary, Time now);
Colour state_colour(const std::string& state);

// The words of a command line as one would type them: quoted where they need it.
std::string command_line(const nlohmann::json& words);

// An attempt's or a container's end: "exit 3", "oom (SIGKILL)", "start-error: …"; "" while it runs.
std::string end_text(const nlohmann::json& attempt);

// The columns of `ps`; `status` shows the same table.
std::vector<Column> container_columns();
// Whether `ps` shows it without --all: everything that is not at rest, and the host file's.
bool is_shown_by_default(const nlohmann::json& summary);

}  // namespace mydocker::ctl
