// mydocker-floor: the least that any supervisor must do for one container, in one process: mkdir of
// the cgroup, clone3 into it, a pipe that blocks the child, the root, /proc, a minimal /dev,
// pivot_root, execve of a static program, pidfd, reap, rmdir. No configuration, no journal, no log,
// no client, no limits, no report of what failed where: only mydocker-bench should use it.
//
// usage: mydocker-floor CGROUP ROOTFS, with a SOCK_SEQPACKET socket as standard input (wire.hpp).
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/init/syscalls.hpp"
#include "tools/bench/floor/clone.hpp"
#include "tools/bench/floor/container.hpp"

namespace mydocker::floor {

namespace {

constexpr size_t stack_size = 64U << 10;
constexpr size_t name_size = 16;

struct Slot {
    char name[name_size];
    char* stack;
    int cgroup = -1;
    int pidfd = -1;
    Inside inside{};
};

int cgroups;  // the directory of all slots' cgroups
Slot slots[most_in_flight];
Reply reply;

int64_t now() {
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

bool fail(int error, const char* step) {
    if (reply.error == 0) {
        reply.error = error;
        ::strncpy(reply.step, step, sizeof reply.step - 1);
    }
    return false;
}

void enter(void* inside) { become_container(*static_cast<const Inside*>(inside)); }

bool start(Slot& slot, Recipe recipe, const char* program) {
    if (::mkdirat(cgroups, slot.name, 0755) < 0) return fail(errno, "make a cgroup");
    slot.cgroup = ::openat(cgroups, slot.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int pipe[2];
    if (slot.cgroup < 0 || ::pipe2(pipe, O_CLOEXEC) < 0) return fail(errno, "open a cgroup");
    const int root =
        kernel::open_tree(AT_FDCWD, prepared_root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (root < 0) return fail(errno, "clone the root's mount");
    slot.inside = {root, pipe[0], recipe, program};
    clone_args arguments{};
    arguments.flags = CLONE_VM | CLONE_PIDFD | CLONE_INTO_CGROUP | CLONE_NEWNS | CLONE_NEWPID |
                      CLONE_NEWUTS | CLONE_NEWIPC;
    if (recipe == Recipe::full) arguments.flags |= CLONE_NEWNET;
    arguments.exit_signal = SIGCHLD;
    arguments.pidfd = reinterpret_cast<uint64_t>(&slot.pidfd);
    arguments.cgroup = static_cast<uint64_t>(slot.cgroup);
    arguments.stack = reinterpret_cast<uint64_t>(slot.stack);
    arguments.stack_size = stack_size;
    const long pid = clone_sharing_memory(&arguments, enter, &slot.inside);
    if (pid < 0) return fail(static_cast<int>(-pid), "clone the container");
    // A byte and not the pipe's end, which would need a system call more: the child has a copy of
    // it.
    const bool released = ::write(pipe[1], "", 1) == 1;
    ::close(pipe[1]);
    ::close(pipe[0]);
    ::close(root);
    return released || fail(errno, "release the container");
}

bool finish(Slot& slot, bool killed) {
    siginfo_t info{};
    if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(slot.pidfd), &info, WEXITED) < 0)
        return fail(errno, "reap the container");
    ::close(slot.pidfd);
    ::close(slot.cgroup);
    slot.pidfd = slot.cgroup = -1;
    if (::unlinkat(cgroups, slot.name, AT_REMOVEDIR) < 0) return fail(errno, "remove the cgroup");
    if (!killed && (info.si_code != CLD_EXITED || info.si_status != 0))
        return fail(ECHILD, step_name(info.si_code == CLD_EXITED ? info.si_status : 0));
    return true;
}

bool run(const Request& request) {
    uint32_t begun = 0;
    uint32_t ended = 0;
    pollfd waiting[most_in_flight];
    for (pollfd& each : waiting) each = {-1, POLLIN, 0};
    const uint32_t width = request.in_flight < most_in_flight ? request.in_flight : most_in_flight;
    while (ended < request.count) {
        for (uint32_t i = 0; i < width && begun < request.count; ++i) {
            if (waiting[i].fd >= 0) continue;
            if (!start(slots[i], request.recipe, "/mydocker-true")) return false;
            waiting[i].fd = slots[i].pidfd;
            ++begun;
        }
        if (::poll(waiting, width, -1) < 0) return fail(errno, "wait for the containers");
        for (uint32_t i = 0; i < width; ++i) {
            if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
            waiting[i].fd = -1;
            if (!finish(slots[i], false)) return false;
            ++ended;
        }
    }
    return true;
}

bool kill_and_clear(Slot& slot) {
    if (slot.pidfd < 0) return fail(ESRCH, "there is no container to kill");
    ::syscall(SYS_pidfd_send_signal, slot.pidfd, SIGKILL, nullptr, 0);
    pollfd ended{slot.pidfd, POLLIN, 0};
    return ::poll(&ended, 1, -1) == 1 && finish(slot, true);
}

bool perform(const Request& request) {
    switch (request.command) {
        case Command::run: return run(request);
        case Command::keep: return start(slots[0], request.recipe, "/mydocker-pause");
        case Command::drop: return kill_and_clear(slots[0]);
        case Command::replace:
            return kill_and_clear(slots[0]) && start(slots[0], request.recipe, "/mydocker-pause");
    }
    return fail(ENOSYS, "understand the request");
}

// As mydocker-init's zygote does: a mount namespace with nothing in it but what containers need, so
// that the host's mounts are not copied with each.
bool move_to_small_namespace(const char* rootfs) {
    const int root = kernel::open_tree(AT_FDCWD, rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (root < 0 || ::unshare(CLONE_NEWNS) < 0) return false;
    if (kernel::mount_flags("/", MS_REC | MS_PRIVATE) < 0) return false;
    if (::syscall(SYS_mount, "tmpfs", rootfs, "tmpfs", 0, nullptr) < 0 || ::chdir(rootfs) < 0)
        return false;
    if (::mkdir(new_root + 1, 0755) < 0 || ::mkdir(prepared_root + 1, 0755) < 0) return false;
    if (kernel::pivot_root(".", ".") < 0 || kernel::unmount_detached(".") < 0) return false;
    const bool moved = ::chdir("/") == 0 && kernel::move_mount(root, "", AT_FDCWD, prepared_root,
                                                               MOVE_MOUNT_F_EMPTY_PATH) == 0;
    ::close(root);
    return moved;
}

bool prepare(const char* cgroup, const char* rootfs) {
    cgroups = ::open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroups < 0 || !move_to_small_namespace(rootfs)) return false;
    for (uint32_t i = 0; i < most_in_flight; ++i) {
        ::snprintf(slots[i].name, name_size, "floor-%u", i);
        void* stack = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (stack == MAP_FAILED) return false;
        slots[i].stack = static_cast<char*>(stack);
    }
    ::umask(022);
    return true;
}

}  // namespace

}  // namespace mydocker::floor

int main(int argc, char** argv) {
    using namespace mydocker::floor;
    if (argc != 3 || !prepare(argv[1], argv[2])) {
        ::perror("mydocker-floor");
        return 1;
    }
    Request request;
    while (::recv(0, &request, sizeof request, 0) == sizeof request) {
        reply = {};
        reply.began = now();
        perform(request);
        reply.ended = now();
        if (::send(0, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) return 1;
    }
    return 0;
}
