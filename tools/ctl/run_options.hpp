// The options of `run` and `create` as data, and their translation to the JSON of POST
// /v1/containers: the very keys of a [container.NAME] table. No I/O but reading --env-file.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/ctl/command.hpp"

namespace mydocker::ctl {

// The options that describe a container; those that only steer the client (-d, --cidfile) are
// run.cpp's.
std::vector<Option> container_options();

// What the translation needs of the client's surroundings; tests bring their own.
struct Surroundings {
    std::function<std::optional<std::string>(const std::string& name)> environment;
    std::function<std::string(const std::string& path)> read_file;
    std::string working_directory;
};
Surroundings real_surroundings();

// The options of `update`: those whose keys can change while a container lives.
std::vector<Option> update_options();
// Their keys; the value "none" becomes null. Throws UsageError naming the option.
nlohmann::json update_request(const Arguments& arguments, const Surroundings& surroundings);

// {"name"?, "auto_remove"?, "container": {…}}. Throws UsageError naming the option.
nlohmann::json create_request(const Arguments& arguments, const Surroundings& surroundings);

// {"K": "V"} of --env and --env-file alone, as `exec` has them too.
nlohmann::json environment_of(const Arguments& arguments, const Surroundings& surroundings);

}  // namespace mydocker::ctl
