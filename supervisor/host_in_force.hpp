// The host file as it is in force, kept below the state directory: a mydockerd that takes over from
// one that died goes on with these settings, whatever the file says by now. Only a reload reads it.
#pragma once

#include <optional>
#include <string>

#include "config/host.hpp"
#include "supervisor/read_ahead.hpp"

namespace mydocker::supervisor {

// `boot`: the machine's boot id; what another boot wrote is void. Throws std::system_error.
void save_host_in_force(const config::Host& host, const std::string& boot);
// nullopt where there is none of this boot, or none that is whole. Throws std::system_error where
// it cannot be read now.
std::optional<config::Host> host_in_force(const std::string& state_dir, const std::string& boot);
FileVersion version_of_host_in_force(const std::string& state_dir);
void forget_host_in_force(const std::string& state_dir);

}  // namespace mydocker::supervisor
