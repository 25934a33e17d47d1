// What `update` changed of a container of the host file: kept beside the file, in the keys of host
// files, until the file's own value of that key changes. Pure functions over configurations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "supervisor/reload_plan.hpp"

namespace mydocker::supervisor {

// `container` with the keys of `patch`, a JSON object: those it names have its value, null makes a
// key what it is where nobody sets it, and a table changes only the keys it names.
config::LoadedContainer amended(const config::Container& container, std::string_view patch);

// The patch that makes `file` into `wanted`: the keys in which they differ. "" where there is none.
std::string amendment_between(const config::Container& file, const config::Container& wanted);

// The amendment without the keys that the file has changed since: its word is newer.
std::string rebased(const std::string& amendment, const config::Container& old_file,
                    const config::Container& new_file);

// "mem_limit", "restart.delay": the keys it amends.
std::vector<std::string> keys_of(const std::string& amendment);

// The file's container as it is in force. An amendment that the file no longer goes with (a
// memswap_limit below a new mem_limit) is dropped whole, and `amendment` is "" then.
config::Container in_force(const config::Container& file, std::string& amendment);

}  // namespace mydocker::supervisor
