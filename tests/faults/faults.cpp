// See faults.hpp: the C library's functions that mydockerd calls, each with a way to fail.
#include "tests/faults/faults.hpp"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

namespace {

using mydocker::faults::Order;

Order* order = nullptr;

__attribute__((constructor)) void share() {
    const char* path = getenv(mydocker::faults::variable);
    // Of mydockerd alone: its helpers inherit the environment.
    if (path == nullptr || strncmp(program_invocation_short_name, "mydockerd", 9) != 0) return;
    const long fd = ::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void* page =
        mmap(nullptr, sizeof(Order), PROT_READ | PROT_WRITE, MAP_SHARED, static_cast<int>(fd), 0);
    ::syscall(SYS_close, fd);
    if (page != MAP_FAILED) order = static_cast<Order*>(page);
}

// Whether this call is the one; errno is set then.
bool fails(const char* name, std::initializer_list<int> errors) {
    if (order == nullptr || order->countdown.load() == 0) return false;
    const int error = order->error.load();
    bool counts = false;
    for (const int each : errors) counts = counts || each == error;
    if (!counts || order->countdown.fetch_sub(1) != 1) return false;
    strncpy(order->last, name, sizeof order->last - 1);
    ++order->hits;
    errno = error;
    return true;
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// NOLINTBEGIN: the names and types are the C library's.
#define CALL(name, ...)                                    \
    static auto* const real = next<decltype(name)>(#name); \
    return real(__VA_ARGS__)

extern "C" {

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    if (fails("open", {EMFILE, ENFILE, ENOMEM, EINTR})) return -1;
    if ((flags & O_CREAT) != 0 && fails("open", {ENOSPC, EIO})) return -1;
    CALL(open, path, flags, mode);
}
int openat(int dir, const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    if (fails("openat", {EMFILE, ENFILE, ENOMEM, EINTR})) return -1;
    if ((flags & O_CREAT) != 0 && fails("openat", {ENOSPC, EIO})) return -1;
    CALL(openat, dir, path, flags, mode);
}
ssize_t write(int fd, const void* data, size_t size) {
    if (fails("write", {ENOSPC, EIO, EINTR, EAGAIN})) return -1;
    CALL(write, fd, data, size);
}
ssize_t read(int fd, void* data, size_t size) {
    if (fails("read", {EINTR, EIO, EAGAIN})) return -1;
    CALL(read, fd, data, size);
}
int fsync(int fd) {
    if (order != nullptr) ++order->syncs;
    if (fails("fsync", {EIO, ENOSPC})) return -1;
    CALL(fsync, fd);
}
int fdatasync(int fd) {
    if (order != nullptr) ++order->syncs;
    if (fails("fdatasync", {EIO, ENOSPC})) return -1;
    CALL(fdatasync, fd);
}
int rename(const char* from, const char* to) {
    if (fails("rename", {ENOSPC, EIO})) return -1;
    CALL(rename, from, to);
}
int renameat(int from_dir, const char* from, int to_dir, const char* to) {
    if (fails("renameat", {ENOSPC, EIO})) return -1;
    CALL(renameat, from_dir, from, to_dir, to);
}
int mkdir(const char* path, mode_t mode) {
    if (fails("mkdir", {ENOSPC, EIO, ENOMEM})) return -1;
    CALL(mkdir, path, mode);
}
int mkdirat(int dir, const char* path, mode_t mode) {
    if (fails("mkdirat", {ENOSPC, ENOMEM, EAGAIN})) return -1;
    CALL(mkdirat, dir, path, mode);
}
int unlinkat(int dir, const char* path, int flags) {
    if (fails("unlinkat", {EBUSY, EIO})) return -1;
    CALL(unlinkat, dir, path, flags);
}
int pipe2(int* ends, int flags) {
    if (fails("pipe2", {EMFILE, ENFILE, ENOMEM})) return -1;
    CALL(pipe2, ends, flags);
}
int accept(int fd, sockaddr* __restrict address, socklen_t* __restrict size) {
    if (fails("accept", {EMFILE, ENFILE, ENOMEM})) return -1;
    CALL(accept, fd, address, size);
}
int fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    const long argument = va_arg(rest, long);
    va_end(rest);
    if (command == F_DUPFD_CLOEXEC && fails("fcntl", {EMFILE})) return -1;
    static auto* const real = next<int(int, int, ...)>("fcntl");
    return real(fd, command, argument);
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    if (fails("sendmsg", {EAGAIN, ENOMEM, EINTR})) return -1;
    CALL(sendmsg, fd, message, flags);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
    if (fails("recvmsg", {EAGAIN, EINTR})) return -1;
    CALL(recvmsg, fd, message, flags);
}
ssize_t tee(int from, int to, size_t size, unsigned flags) {
    if (fails("tee", {EAGAIN, ENOMEM, EINTR})) return -1;
    CALL(tee, from, to, size, flags);
}
int fchown(int fd, uid_t user, gid_t group) {
    if (fails("fchown", {EIO})) return -1;
    CALL(fchown, fd, user, group);
}
int posix_spawnp(pid_t* __restrict pid, const char* __restrict file,
                 const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* __restrict attributes, char* const argv[],
                 char* const environment[]) {
    if (fails("posix_spawnp", {EAGAIN, ENOMEM})) return errno;
    CALL(posix_spawnp, pid, file, actions, attributes, argv, environment);
}
long syscall(long number, ...) {
    va_list rest;
    va_start(rest, number);
    long a[6];
    for (long& each : a) each = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_pidfd_send_signal) {
        if (fails("pidfd_send_signal", {ESRCH})) return -1;
    } else if (number == SYS_fsopen || number == SYS_fsmount || number == SYS_open_tree ||
               number == SYS_pidfd_open || number == SYS_openat2) {
        if (fails("syscall", {EMFILE, ENFILE, ENOMEM})) return -1;
    }
    static auto* const real = next<long(long, ...)>("syscall");
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // extern "C"
// NOLINTEND
