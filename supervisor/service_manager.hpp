// What a daemon owes to whoever started it: one instance a state directory, and sd_notify(3).
#pragma once

#include <string>

#include "runtime/unique_fd.hpp"

namespace mydocker::supervisor {

// Makes the state directory (0700) and takes its lock for as long as the descriptor lives. Throws
// std::runtime_error that names the daemon which already has it.
runtime::UniqueFd lock_state_directory(const std::string& state_dir);

// Sends e.g. "READY=1" to $NOTIFY_SOCKET; does nothing where there is none.
void notify_service_manager(const std::string& message);

}  // namespace mydocker::supervisor
