// See standing.hpp.
#include "runtime/keeper/standing.hpp"

#include <errno.h>

#include "runtime/keeper/table.hpp"

namespace mydocker::keeper {

namespace {

constexpr char oom_file[] = "/proc/self/oom_score_adj";

char oom_before[8];  // -1000 to 1000, and a newline
unsigned long oom_size = 0;
rlimit files_before{};

void write_oom(const char* text, unsigned long size) {
    const int fd = sys::open(oom_file, O_WRONLY);
    if (fd < 0) return;
    sys::write(fd, text, size);
    sys::close(fd);
}

}  // namespace

void tidy_descriptors() {
    for (int fd = 0; fd <= 2; ++fd)
        if (sys::fcntl(fd, F_GETFD) == -EBADF) sys::call(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
    sys::close_from(4);
}

void take_standing() {
    sys::prctl(PR_SET_CHILD_SUBREAPER, 1L);
    sys::prctl(PR_SET_NAME, "mydocker-keeper");
    // First: the old limit may leave no number for the files that are opened here.
    if (sys::limit_files(nullptr, &files_before) == 0) {
        rlimit all = files_before;
        all.rlim_cur = all.rlim_max < max_fds ? all.rlim_max : max_fds;
        sys::limit_files(&all, nullptr);
    }
    // -1000: never (proc_pid_oom_score_adj(5)).
    if (const int fd = sys::open(oom_file, O_RDONLY); fd >= 0) {
        const long size = sys::read(fd, oom_before, sizeof oom_before);
        oom_size = size > 0 ? static_cast<unsigned long>(size) : 0;
        sys::close(fd);
    }
    write_oom("-1000", 5);
    sys::set_signal(SIGPIPE, SIG_IGN);
    // Where it is ignored, no child leaves a zombie (waitpid(2), notes).
    sys::set_signal(SIGCHLD, SIG_DFL);
    sys::block_only(awaited);
}

void give_back() {
    if (oom_size > 0) write_oom(oom_before, oom_size);
    if (files_before.rlim_max != 0) sys::limit_files(&files_before, nullptr);
    sys::set_signal(SIGPIPE, SIG_DFL);
}

}  // namespace mydocker::keeper
