// What a daemon owes to whoever started it: that it is alone with its directories and its cgroup,
// and sd_notify(3).
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/unique_fd.hpp"

namespace mydocker::supervisor {

// Makes the state directory (0700) and takes its lock for as long as the descriptor lives. Throws
// std::runtime_error that names the daemon which already has it.
runtime::UniqueFd lock_state_directory(const std::string& state_dir);
// Whom that error names from now on.
void write_lock_owner(int lock, pid_t pid);

// Locks a directory for as long as the descriptor lives (flock(2)). Throws std::runtime_error with
// `who`, what another one does with it, and `instead`, what to do.
runtime::UniqueFd lock_directory(const std::string& path, const std::string& who,
                                 const std::string& instead);

// Sends e.g. "READY=1" to $NOTIFY_SOCKET; does nothing where there is none.
void notify_service_manager(const std::string& message);

}  // namespace mydocker::supervisor
