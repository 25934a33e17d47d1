// `mydocker-ctl watch`: all containers on a live screen, with keys to act on them.
#pragma once

#include "tools/ctl/command.hpp"

namespace mydocker::ctl {

// Ends when the user wants it to, or on a signal (128 + n). Failure where there is no terminal.
int watch_containers(const Context& context);

}  // namespace mydocker::ctl
