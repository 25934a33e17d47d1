// The zygote: a tiny process that clones inits for mydockerd, so that a start costs the same
// however large mydockerd has grown. CLONE_PARENT makes mydockerd the parent of every init; a mount
// namespace of its own, with one empty tmpfs in it, makes the copy of that namespace cost nothing
// either.
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/init/init.hpp"
#include "runtime/init/syscalls.hpp"
#include "runtime/init/wire.hpp"

namespace mydocker::init {

namespace {

constexpr uint32_t max_fds = wire::fd_first_extra + wire::max_mount_fds;

// Leaves the host's mounts behind: a private namespace whose root is an empty tmpfs with
// `new_root`.
bool move_to_small_namespace() {
    if (::unshare(CLONE_NEWNS) < 0) return false;
    if (kernel::mount_flags("/", MS_REC | MS_PRIVATE) < 0) return false;
    const int context = kernel::fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0) return false;
    if (kernel::fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0) return false;
    if (kernel::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) return false;
    const int root = kernel::fsmount(context, FSMOUNT_CLOEXEC, 0);
    if (root < 0 || ::mkdirat(root, new_root + 1, 0755) < 0) return false;
    // Any directory does as the place to stand on while pivoting; /proc is everywhere.
    if (kernel::move_mount(root, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0) return false;
    if (::fchdir(root) < 0 || kernel::pivot_root(".", ".") < 0) return false;
    if (kernel::unmount_detached(".") < 0 || ::chdir("/") < 0) return false;
    ::close(root);
    ::close(context);
    return true;
}

// No container inherits by chance: no blocked or ignored signal, a known umask. Done once, here.
// By the raw system call, since the C library keeps two real-time signals to itself.
void reset_inherited() {
    struct KernelAction {
        void* handler;
        unsigned long flags;
        void* restorer;
        uint64_t mask;
    };
    const KernelAction standard{};
    for (int signal = 1; signal <= 64; ++signal)
        ::syscall(SYS_rt_sigaction, signal, &standard, nullptr, sizeof standard.mask);
    const uint64_t none = 0;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
    ::umask(022);
}

struct Received {
    wire::CloneRequest request;
    int fds[max_fds];
    uint32_t count;
};

// False at the socket's end. A message that makes no sense ends the zygote: mydockerd starts
// another.
bool receive(int socket, Received& received) {
    static char control[CMSG_SPACE(sizeof(int) * max_fds)];
    iovec data{&received.request, sizeof received.request};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t size = 0;
    do {
        size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size <= 0) return false;
    received.count = 0;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        received.count = static_cast<uint32_t>((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        ::memcpy(received.fds, CMSG_DATA(part), received.count * sizeof(int));
    }
    return size == sizeof received.request && received.request.magic == wire::magic &&
           received.request.extra_fds <= wire::max_mount_fds &&
           (received.request.joins == 0 || received.request.extra_fds == 1) &&
           (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
           received.count == wire::fd_first_extra + received.request.extra_fds;
}

bool answer(int socket, const wire::CloneReply& reply, int pidfd) {
    iovec data{const_cast<wire::CloneReply*>(&reply), sizeof reply};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (pidfd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        ::memcpy(CMSG_DATA(part), &pidfd, sizeof pidfd);
    }
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == sizeof reply;
}

struct Clone {
    long pid;  // 0 in the child
    int error;
    int pidfd;
    bool outside;  // of its cgroup
};

Clone clone_init(const Received& received) {
    Clone made{-1, 0, -1, false};
    clone_args arguments{};
    arguments.flags = CLONE_PARENT | CLONE_PIDFD | CLONE_INTO_CGROUP | received.request.clone_flags;
    arguments.pidfd = reinterpret_cast<uint64_t>(&made.pidfd);
    arguments.cgroup = static_cast<uint64_t>(received.fds[wire::fd_cgroup]);
    made.pid = kernel::clone3(&arguments);
    if (made.pid < 0 && errno == EAGAIN && received.request.joins != 0) {
        // The container is at its pids limit, which forbids a fork in there, not a migration.
        arguments.flags &= ~static_cast<uint64_t>(CLONE_INTO_CGROUP);
        made.outside = true;
        made.pid = kernel::clone3(&arguments);
    }
    made.error = made.pid < 0 ? errno : 0;
    return made;
}

[[noreturn]] void become(const Received& received, bool outside) {
    ChildFds fds{};
    fds.plan = received.fds[wire::fd_plan];
    fds.report = received.fds[wire::fd_report];
    for (int i = 0; i < 3; ++i) fds.standard[i] = received.fds[wire::fd_stdin + i];
    fds.first_extra = received.fds[wire::fd_first_extra];
    fds.extras = received.request.extra_fds;
    fds.joins = received.request.joins != 0;
    fds.cgroup = outside ? received.fds[wire::fd_cgroup] : -1;
    if (!outside) ::close(received.fds[wire::fd_cgroup]);
    // Mounts are named by their place: the kernel hands out descriptors in ascending order.
    for (uint32_t i = 1; i < fds.extras; ++i)
        if (received.fds[wire::fd_first_extra + i] != fds.first_extra + static_cast<int>(i))
            ::_exit(125);
    become_container(fds);
}

}  // namespace

void serve(int socket) {
    // Die with mydockerd: a zygote without one has nothing to do.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Nor its children until they execute: what joins a container can be seen from inside it, and
    // nobody there may trace it, take its descriptors or its program (CVE-2016-9962, 2019-5736).
    ::prctl(PR_SET_DUMPABLE, 0);
    ::prctl(PR_SET_NAME, "mydocker-init");  // it was executed by its descriptor: "4" else
    reset_inherited();
    const int own_pid_namespace = ::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (own_pid_namespace < 0 || !move_to_small_namespace()) ::_exit(125);
    static Received received;
    while (receive(socket, received)) {
        const bool joins = received.request.joins != 0;
        Clone made{-1, EPROTO, -1, false};
        if (!joins)
            made = clone_init(received);
        else if (::setns(received.fds[wire::fd_first_extra], CLONE_NEWPID) < 0)
            made.error = errno;
        else
            made = clone_init(received);
        if (made.pid == 0) {
            ::close(socket);
            ::close(own_pid_namespace);
            become(received, made.outside);
        }
        const wire::CloneReply reply{wire::magic, made.pid > 0 ? static_cast<int32_t>(made.pid) : 0,
                                     made.pid > 0 ? 0 : made.error, 0, received.request.id};
        for (uint32_t i = 0; i < received.count; ++i) ::close(received.fds[i]);
        const bool told = answer(socket, reply, made.pidfd);
        if (made.pidfd >= 0) ::close(made.pidfd);
        if (!told || (joins && ::setns(own_pid_namespace, CLONE_NEWPID) < 0)) break;
    }
    ::_exit(0);
}

}  // namespace mydocker::init
