// See exit_status.hpp.
#include "runtime/exit_status.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/error.hpp"

namespace mydocker::runtime {

std::optional<ExitStatus> peek_exit(int pidfd) {
    siginfo_t info{};
    must(::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT),
         "read an exit status");
    if (info.si_pid == 0) return std::nullopt;
    return ExitStatus{info.si_code != CLD_EXITED, info.si_status};
}

void reap(int pidfd) {
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG);
}

bool send_signal(int pidfd, int signal) {
    if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0) return true;
    if (errno == ESRCH) return false;
    fail(errno, "send signal " + std::to_string(signal));
}

}  // namespace mydocker::runtime
