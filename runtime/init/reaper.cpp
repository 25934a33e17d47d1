// `init = true`: pid 1 that forwards signals to the workload, reaps orphans and ends as it ends.
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/init/init.hpp"
#include "runtime/init/syscalls.hpp"

namespace mydocker::init {

namespace {

// Reaps all that has ended; exits when the workload has.
void reap(pid_t workload) {
    int status = 0;
    for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        if (ended != workload) continue;
        ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
}

}  // namespace

int split_reaper() {
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    const pid_t workload = ::fork();
    if (workload < 0) return errno;
    if (workload == 0) {
        ::setsid();
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        return 0;
    }
    // The report pipe must end with the workload's exec, so this process keeps no copy of anything.
    ::syscall(SYS_close_range, 0U, ~0U, 0U);
    for (;;) {
        reap(workload);
        const int signal = ::sigwaitinfo(&all, nullptr);
        if (signal > 0 && signal != SIGCHLD) ::kill(workload, signal);
    }
}

}  // namespace mydocker::init
