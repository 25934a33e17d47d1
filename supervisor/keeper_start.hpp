// How mydockerd comes under its keeper. Started by a user or a service manager, it executes
// mydocker-keeper in its place, which starts mydockerd again as its child. When the keeper dies,
// mydockerd does the same once more: its containers are then the new keeper's own children.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/keeper_socket.hpp"

namespace mydocker::supervisor {

// What the keeper had for us.
struct Predecessor {
    std::unique_ptr<runtime::KeeperSocket> socket;
    runtime::UniqueFd lock;      // of the state directory
    runtime::UniqueFd listener;  // of the control API; empty: none has been made yet
    std::vector<runtime::Held> held;
    unsigned crashes = 0;  // in a row, of those before us
    int status = 0;        // how the one before us ended: waitpid(2)'s
    // The state directory, by its lock; "" where there is none.
    std::string state_dir() const;
};

// nullopt where no keeper started us. Throws std::system_error where it does not say all in time.
std::optional<Predecessor> meet_keeper();

// Our own program where it lies now: after an upgrade that is the new one.
std::string own_program();
// A program of ours: beside mydockerd in a build tree; once installed in libexec, wherever the
// prefix has been moved to.
std::string helper_program(const std::string& name);

// `socket`: what has been sent into its other end is the keeper's first. Throws std::system_error
// where the keeper cannot be executed.
[[noreturn]] void become_keeper(const runtime::UniqueFd& socket, const std::vector<std::string>& arguments);

}  // namespace mydocker::supervisor
