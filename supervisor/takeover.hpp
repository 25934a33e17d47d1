// What a mydockerd that takes over from another one goes on with, and whether it could.
#pragma once

#include <optional>
#include <string>

#include "supervisor/keeper_start.hpp"
#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor {

// What has been read while the old one was still at work. What changes meanwhile is read again.
struct Prepared {
    ReadAhead<config::Host> host;
    std::optional<Store> store;
    std::optional<Snapshots> snapshots;
    ReadAhead<Record> last_records;  // by id of the container
};
// Reads, and changes nothing, all that the old one has written. Throws what is in the way of going
// on with it.
Prepared prepare(const Predecessor& before);

// With the settings that are in force since the mydockerd before us, or else those of the host
// file. Throws std::runtime_error where that has errors, which are logged.
HostState state_of(const std::string& config_path, const Overrides& overrides,
                   const Predecessor& before, Prepared prepared);

// Says how the mydockerd before us ended, if it was a crash.
void tell_predecessor(const Predecessor& before);

// Before an old one asks for us: whether we, and the keeper of our version, speak what its keeper
// does. Throws std::runtime_error.
void check_takeover(unsigned protocol);

}  // namespace mydocker::supervisor
