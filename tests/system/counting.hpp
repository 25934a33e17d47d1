// Containers of a shell script each, and one that counts: what its log must hold whoever died.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/system/harness.hpp"

namespace mydocker::tests {

// Counts to its stdout: "1", "2", ...
inline constexpr auto numbers = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done";

// A container of the host file that runs it; stopped without grace. `keys`: more of its table.
std::string script(const std::string& name, const std::string& text, const std::string& keys = "");

// None missing; a killed mydockerd may have written its last chunk twice.
void check_numbers(const Daemon& daemon, const std::string& container, int deaths);

// What a container.json would be if another version of mydockerd had written it.
std::string of_another_version(std::string container_json);

pid_t pid_of(const Daemon& daemon, const std::string& container);  // -1: none

}  // namespace mydocker::tests
