// A program of the host as a child of mydockerd: started with a clean signal mask and no descriptor
// but those it is given, watched by its pidfd. Who starts it reaps it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/unique_fd.hpp"
#include "supervisor/waker.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

// `given` become its descriptors 0, 1, 2, …; -1, or nothing, stands for /dev/null as stdin and for
// mydockerd's own stdout and stderr. words[0] without a slash is looked up in PATH. Returns the
// pidfd; throws std::system_error.
runtime::UniqueFd start_child(const std::vector<std::string>& words, const std::vector<int>& given);

// Pokes once, when it has ended. The waker must live until then.
void poke_at_exit(const std::shared_ptr<WatchedFd>& pidfd, Waker& waker);

}  // namespace mydocker::supervisor
