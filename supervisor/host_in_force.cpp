// See host_in_force.hpp.
#include "supervisor/host_in_force.hpp"

#include <unistd.h>

#include "config/load.hpp"
#include "supervisor/log.hpp"
#include "supervisor/state_file.hpp"

namespace mydocker::supervisor {

namespace {

std::string path_in(const std::string& state_dir) { return state_dir + "/host.json"; }

}  // namespace

void save_host_in_force(const config::Host& host, const std::string& boot) {
    save_of_boot(path_in(host.daemon.state_dir), boot, config::dump_json(host) + "\n");
}

std::optional<config::Host> host_in_force(const std::string& state_dir, const std::string& boot) {
    const std::string path = path_in(state_dir);
    const auto text = load_of_boot(path, boot);
    if (!text) return std::nullopt;
    config::Loaded loaded = config::load_json(*text, path);
    if (loaded.ok()) return std::move(loaded.host);
    log::error("{} is not what a mydockerd writes, and is not used: {}", path,
               config::to_string(loaded.problems.front()));
    return std::nullopt;
}

FileVersion version_of_host_in_force(const std::string& state_dir) {
    return FileVersion::of(AT_FDCWD, path_in(state_dir));
}

void forget_host_in_force(const std::string& state_dir) { ::unlink(path_in(state_dir).c_str()); }

}  // namespace mydocker::supervisor
