// Reads a host file and everything it includes, or one container sent as JSON, and finds all the
// problems at once; and writes containers as JSON. Nothing here looks at the host: a cpuset that
// does not exist, or a missing rootfs, is for the runtime to say.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/host.hpp"
#include "config/problem.hpp"

namespace mydocker::config {

struct Loaded {
    Host host;                      // what could be read; use it only if ok()
    std::vector<Problem> problems;  // in order of file, line, column
    bool ok() const;                // no fatal problem
};

// A file that cannot be read is a problem like any other; never throws for bad input.
// Bounds: 1 MiB a file, 32 levels of nesting, 256 included files.
Loaded load_file(const std::filesystem::path& path);
// What stands relative in it (`include`, `env_file`) is sought beside file_name.
Loaded load_text(std::string_view toml, const std::string& file_name);

// What dump_json(Host) wrote.
Loaded load_json(std::string_view json, const std::string& file_name);

struct LoadedContainer {
    Container container;
    std::vector<Problem> problems;
    bool ok() const;
};

// A JSON object with the very keys of a [container.NAME] table, as the control API receives it:
// {"command": ["sleep", "9"], "mem_limit": "50m", "restart": {"policy": "always"}}.
// Values are as in TOML; a string is accepted wherever TOML accepts one. An env_file must be
// absolute.
LoadedContainer load_container_json(std::string_view json, const std::string& name);

// The canonical JSON: every key of host files with the value in force, env_file merged into
// environment, limits that are not set left out. load_container_json(dump_json(c), c.name) gives c.
// Text that is not UTF-8, which no loaded container holds, throws std::exception.
std::string dump_json(const Container& container, bool pretty = false);

// {"version": 1, "daemon": {…}, "container": {NAME: {…}, …}}, as a host file would have it.
std::string dump_json(const Host& host, bool pretty = false);

}  // namespace mydocker::config
