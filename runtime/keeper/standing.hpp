// What sort of process the keeper is: reaper of orphans, spared by the OOM killer, with
// descriptors for all keys where the hard limit has them, deaf to ^C. What of that is inherited,
// its children get as it was.
#pragma once

#include <stdint.h>

#include "runtime/keeper/sys.hpp"

namespace mydocker::keeper {

// The signals that are read from a signalfd; those that are forwarded stay blocked in mydockerd,
// which reads them in the same way: one sent while it starts is pending, not lost.
inline constexpr sys::SignalSet forwarded =
    sys::bit(SIGTERM) | sys::bit(SIGINT) | sys::bit(SIGHUP) | sys::bit(SIGUSR2);
inline constexpr sys::SignalSet awaited = forwarded | sys::bit(SIGCHLD);

// Gives 0, 1 and 2 to /dev/null where they are closed, and closes all beyond 3: what is held later
// has none of these numbers.
void tidy_descriptors();

// Once, and again where give_back() was in vain. What is not permitted is done without.
void take_standing();

// For a program that is executed next: the OOM score and the limit that we were started with.
void give_back();

}  // namespace mydocker::keeper
