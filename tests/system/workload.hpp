// A container run to its end through the control API: what `mydocker-ctl run --rm` does, without
// the start of a program, which is dear in the VM.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/system/harness.hpp"

namespace mydocker::tests {

// `container`: keys of a host file's table, in a container named `name`, removed afterwards. A
// start that fails: docker's exit code, and the error as `err`. Never throws: threads may call it.
Result run_to_end(const Daemon& daemon, const nlohmann::json& container,
                  const std::string& name = "web");

// The same for a script of /bin/sh with `keys` beside its command.
Result run_script(const Daemon& daemon, const std::string& script,
                  nlohmann::json keys = nlohmann::json::object());

}  // namespace mydocker::tests
