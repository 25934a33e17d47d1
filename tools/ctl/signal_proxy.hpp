// Signals that were sent to a client in the foreground, passed on to its container.
#pragma once

#include <string>

#include "tools/ctl/client.hpp"

namespace mydocker::ctl {

// To a container that only waits for its next start a signal means: give up. Never throws Refused:
// a container that has ended or was removed meanwhile needs none.
void forward_signal(const Client& client, const std::string& id, const std::string& signal);

}  // namespace mydocker::ctl
