// How a process ended, read through its pidfd in two steps: look without reaping, so that the end
// can be recorded first, then reap. A child of ours tells by waitid(2). One that was started by the
// mydockerd before us is the keeper's child, and its zombie tells in /proc. One that somebody else
// has reaped tells by PIDFD_GET_INFO, since Linux 6.15; before that nobody knows.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

struct ExitStatus {
    bool signaled = false;
    int number = 0;     // the exit code, or the signal
    bool known = true;  // false: it has ended, and nobody can tell how
};

// nullopt while it runs. Throws std::system_error where the pidfd is none.
std::optional<ExitStatus> peek_exit(int pidfd);

// Takes the zombie away; harmless when there is none, or when it is another's to take.
void reap(int pidfd);

// The number of the process (proc(5): fdinfo of a pidfd); -1 once it has been reaped.
pid_t pid_of(int pidfd);

// pidfd_send_signal(2); false when it has ended (ESRCH).
bool send_signal(int pidfd, int signal);

}  // namespace mydocker::runtime
