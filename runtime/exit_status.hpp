// How a child of ours ended, read through its pidfd in two steps: look without reaping, so that the
// end can be recorded first, then reap.
#pragma once

#include <optional>

namespace mydocker::runtime {

struct ExitStatus {
    bool signaled = false;
    int number = 0;  // the exit code, or the signal
};

// waitid(2) with WNOWAIT: nullopt while it runs. Throws ECHILD when it is not our child.
std::optional<ExitStatus> peek_exit(int pidfd);

// Takes the zombie away; harmless when there is none.
void reap(int pidfd);

// pidfd_send_signal(2); false when it has ended (ESRCH).
bool send_signal(int pidfd, int signal);

}  // namespace mydocker::runtime
