// How mydockerd comes under its keeper. Started by a user or a service manager, it executes
// mydocker-keeper in its place, which starts mydockerd again as its child. When the keeper dies,
// mydockerd does the same once more: its containers are then the new keeper's own children.
#pragma once

#include <functional>
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

// nullopt where no keeper started us, or where it died before it had said all: then there is
// nobody yet. Throws std::system_error where it does not say all in time. Where the old mydockerd
// is still at work and wants to know whether we could take over, `prepare` is called before we
// wait for its end; what it throws is told, and is our own end.
std::optional<Predecessor> meet_keeper(const std::function<void(const Predecessor&)>& prepare);

// The path by which we were executed, so that after an upgrade the new program lies there. `argv0`
// counts where it is absolute and is this program: behind a link that is turned to new versions.
void remember_own_program(const std::string& argv0);
std::string own_program();
// A program of ours: beside mydockerd in a build tree; once installed in libexec, wherever the
// prefix has been moved to.
std::string helper_program(const std::string& name);

// Throws std::runtime_error where the keeper's program cannot be executed, or does not speak our
// protocol.
void check_keeper_program();

// `socket`: what has been sent into its other end is the keeper's first. Throws std::system_error
// where the keeper cannot be executed.
[[noreturn]] void become_keeper(const runtime::UniqueFd& socket,
                                const std::vector<std::string>& arguments);

}  // namespace mydocker::supervisor
