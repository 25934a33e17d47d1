// The keeper's system calls, without a C library: each answers like the kernel does, with -errno
// where it failed. Registers: syscall(2), "Architecture calling conventions". The C library's
// headers are used for constants and structures alone; where its structure is not the kernel's,
// ours stands here. The newest that is called is close_range (Linux 5.9).
#pragma once

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

namespace mydocker::keeper::sys {

inline long raw(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    long result = 0;
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    register long x3 asm("x3") = d;
    register long x4 asm("x4") = e;
    register long x5 asm("x5") = f;
    asm volatile("svc #0"
                 : "+r"(x0)
                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                 : "memory");
    return x0;
#else
#error "mydocker-keeper knows the system calls of x86_64 and aarch64 alone"
#endif
}

inline long word(long value) { return value; }
inline long word(const void* pointer) { return reinterpret_cast<long>(pointer); }

inline int call(long number) { return static_cast<int>(raw(number, 0, 0, 0, 0, 0, 0)); }
template <class A, class B = long, class C = long, class D = long, class E = long>
int call(long number, A a, B b = 0, C c = 0, D d = 0, E e = 0) {
    return static_cast<int>(raw(number, word(a), word(b), word(c), word(d), word(e), 0));
}

using SignalSet = uint64_t;  // the kernel's own: a bit for each signal
constexpr SignalSet bit(int signal) { return SignalSet{1} << (signal - 1); }

// rt_sigaction(2)'s; the C library's is ordered otherwise.
struct SignalAction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    SignalSet mask;
};

[[noreturn]] inline void exit(int code) {
    for (;;) call(SYS_exit_group, code);
}
inline long read(int fd, void* buffer, unsigned long size) {
    return raw(SYS_read, fd, word(buffer), word(static_cast<long>(size)), 0, 0, 0);
}
inline long write(int fd, const void* buffer, unsigned long size) {
    return raw(SYS_write, fd, word(buffer), static_cast<long>(size), 0, 0, 0);
}
inline int open(const char* path, int flags) {
    return call(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
}
inline void close(int fd) { call(SYS_close, fd); }
inline int close_from(unsigned first) { return call(SYS_close_range, first, ~0U, 0); }
inline int dup3(int from, int to, int flags) { return call(SYS_dup3, from, to, flags); }
inline int fcntl(int fd, int command) { return call(SYS_fcntl, fd, command); }
inline long readlink(const char* path, char* buffer, unsigned long size) {
    return raw(SYS_readlinkat, AT_FDCWD, word(path), word(buffer), static_cast<long>(size), 0, 0);
}
// Whether two files are the same one (statx(2)).
inline bool same_file(const char* one, const char* other) {
    struct statx files[2] = {};
    for (int i = 0; i < 2; ++i)
        if (call(SYS_statx, AT_FDCWD, i == 0 ? one : other, 0, STATX_INO, &files[i]) < 0)
            return false;
    return files[0].stx_ino == files[1].stx_ino &&
           files[0].stx_dev_major == files[1].stx_dev_major &&
           files[0].stx_dev_minor == files[1].stx_dev_minor;
}
inline int execve(const char* path, char* const* arguments, char* const* environment) {
    return call(SYS_execve, path, arguments, environment);
}
inline int getpid() { return call(SYS_getpid); }
inline int set_own_session() { return call(SYS_setsid); }
inline int prctl(int option, const void* value) { return call(SYS_prctl, option, value); }
inline int prctl(int option, long value) { return call(SYS_prctl, option, value); }

// A process that both copies go on from, with a pidfd of the other (clone(2); CLONE_PIDFD is Linux
// 5.2). 0 in the child.
inline int fork(int* pidfd) { return call(SYS_clone, CLONE_PIDFD | SIGCHLD, 0L, pidfd, 0L, 0L); }

// Unlike the C library's function, this one tells "nothing has ended" by si_pid 0.
inline int waitid(idtype_t type, int id, siginfo_t* info, int options) {
    info->si_pid = 0;
    return call(SYS_waitid, static_cast<long>(type), id, info, options, 0L);
}
inline int send_signal(int pidfd, int signal) {  // Linux 5.1
    return call(SYS_pidfd_send_signal, pidfd, signal, 0L, 0);
}
inline int set_signal(int signal, void (*handler)(int)) {
    const SignalAction action{handler, 0, nullptr, 0};
    return call(SYS_rt_sigaction, signal, &action, 0L, sizeof(SignalSet));
}
inline int block_only(SignalSet set) {
    return call(SYS_rt_sigprocmask, SIG_SETMASK, &set, 0L, sizeof set);
}
inline int signalfd(SignalSet set, int flags) {
    return call(SYS_signalfd4, -1, &set, sizeof set, flags);
}
inline int socketpair(int type, int* ends) { return call(SYS_socketpair, AF_UNIX, type, 0, ends); }
inline int socket(int type) { return call(SYS_socket, AF_UNIX, type, 0); }
inline int set_option(int socket, int option, int value) {
    return call(SYS_setsockopt, socket, SOL_SOCKET, option, &value, sizeof value);
}
inline int get_option(int socket, int option, int* value) {
    socklen_t size = sizeof *value;
    return call(SYS_getsockopt, socket, SOL_SOCKET, option, value, &size);
}
inline long sendmsg(int socket, const msghdr* message) {
    return raw(SYS_sendmsg, socket, word(message), MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0, 0);
}
inline long recvmsg(int socket, msghdr* message) {
    return raw(SYS_recvmsg, socket, word(message), MSG_DONTWAIT | MSG_CMSG_CLOEXEC, 0, 0, 0);
}
// RLIMIT_NOFILE of the caller; either may be null.
inline int limit_files(const rlimit* wanted, rlimit* before) {
    return call(SYS_prlimit64, 0, RLIMIT_NOFILE, wanted, before);
}

// Milliseconds that do not jump.
inline int64_t now() {
    timespec time{};
    call(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}
// At most `timeout` ms; without an end where that is negative.
inline int poll(pollfd* fds, unsigned long count, int64_t timeout) {
    const timespec limit{timeout / 1000, timeout % 1000 * 1'000'000};
    const void* const end = timeout < 0 ? nullptr : &limit;
    return call(SYS_ppoll, fds, count, end, 0L, sizeof(SignalSet));
}

}  // namespace mydocker::keeper::sys
