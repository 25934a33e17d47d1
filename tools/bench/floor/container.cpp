// See container.hpp. Each step does what mydockerd's container gets, with the fewest system calls
// known for it: mount(2) where it needs one call and the new API needs four. It trusts its root
// file system, which a supervisor may not: no look-up here is guarded against symlinks.
#include "tools/bench/floor/container.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <initializer_list>

#include "runtime/init/syscalls.hpp"

namespace mydocker::floor {

namespace {

enum Step : int {
    step_release = 1,
    step_namespaces,
    step_root,
    step_proc,
    step_dev,
    step_network,
    step_mounts,
    step_hide,
    step_privileges,
    step_execute,
};

constexpr unsigned long nosuid = MS_NOSUID;
constexpr unsigned long closed = MS_NOSUID | MS_NODEV | MS_NOEXEC;

bool mount_new(const char* type, const char* target, unsigned long flags, const char* options) {
    return ::syscall(SYS_mount, type, target, type, flags, options) == 0;
}

// Not by errno: that is the floor's and all its children's together, since they share its memory.
bool is_missing(const char* path) { return ::access(path, F_OK) != 0; }

// One empty read-only tmpfs, cloned for every directory that is hidden; /dev/null for files.
bool mask_file(const char* path) {
    return ::syscall(SYS_mount, "/dev/null", path, nullptr, MS_BIND, nullptr) == 0 ||
           is_missing(path);
}

bool mask_directory(const char* path) {
    return mount_new("tmpfs", path, closed | MS_RDONLY, nullptr) || is_missing(path);
}

bool make_read_only(const char* path) {
    const int copy = kernel::open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (copy < 0) return is_missing(path);
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    return kernel::mount_setattr(copy, "", AT_EMPTY_PATH, &attributes) == 0 &&
           kernel::move_mount(copy, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

bool enter_root(int root) {
    return kernel::move_mount(root, "", AT_FDCWD, new_root, MOVE_MOUNT_F_EMPTY_PATH) == 0 &&
           ::fchdir(root) == 0 && kernel::pivot_root(".", ".") == 0 &&
           kernel::unmount_detached(".") == 0 && ::chdir("/") == 0;
}

bool make_dev() {
    if (!mount_new("tmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=755,size=65536k")) return false;
    struct Device {
        const char* path;
        unsigned major;
        unsigned minor;
    };
    ::umask(0);
    constexpr Device devices[] = {{"/dev/null", 1, 3},    {"/dev/zero", 1, 5},
                                  {"/dev/full", 1, 7},    {"/dev/random", 1, 8},
                                  {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
    for (const Device& device : devices)
        if (::mknod(device.path, S_IFCHR | 0666, makedev(device.major, device.minor)) < 0)
            return false;
    ::umask(022);
    return ::symlink("/proc/self/fd", "/dev/fd") == 0 &&
           ::symlink("/proc/self/fd/0", "/dev/stdin") == 0 &&
           ::symlink("/proc/self/fd/1", "/dev/stdout") == 0 &&
           ::symlink("/proc/self/fd/2", "/dev/stderr") == 0;
}

bool make_other_mounts() {
    return ::symlink("pts/ptmx", "/dev/ptmx") == 0 && ::mkdir("/dev/pts", 0755) == 0 &&
           mount_new("devpts", "/dev/pts", nosuid | MS_NOEXEC, "ptmxmode=0666,mode=0620,gid=5") &&
           ::mkdir("/dev/shm", 0755) == 0 &&
           mount_new("tmpfs", "/dev/shm", closed, "mode=1777,size=67108864") &&
           ::mkdir("/dev/mqueue", 0755) == 0 &&
           mount_new("mqueue", "/dev/mqueue", closed, nullptr) &&
           mount_new("sysfs", "/sys", closed | MS_RDONLY, nullptr) &&
           mount_new("cgroup2", "/sys/fs/cgroup", closed | MS_RDONLY, nullptr);
}

// The paths of runtime/plan.cpp that this kernel has.
bool hide() {
    for (const char* path :
         {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"})
        if (!make_read_only(path)) return false;
    for (const char* path : {"/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                             "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats"})
        if (!mask_file(path)) return false;
    for (const char* path : {"/proc/acpi", "/proc/asound", "/proc/scsi",
                             "/sys/devices/virtual/powercap", "/sys/firmware"})
        if (!mask_directory(path)) return false;
    return true;
}

bool raise_loopback() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    ifreq request{};
    ::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const bool raised = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    ::close(fd);
    return raised;
}

bool limit_privileges() {
    constexpr uint64_t kept = 0xa80425fb;  // Docker's default set, as runtime/capability.cpp has it
    const int adjust = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (adjust < 0 || ::write(adjust, "0", 1) != 1) return false;
    ::close(adjust);
    const rlimit files{1024, 4096};
    if (::setrlimit(RLIMIT_NOFILE, &files) < 0) return false;
    for (int capability = 0; capability < 64; ++capability)
        if ((kept >> capability & 1) == 0 && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            break;  // beyond the last one
    if (::setgroups(0, nullptr) < 0 || ::syscall(SYS_setresgid, 0, 0, 0) < 0 ||
        ::syscall(SYS_setresuid, 0, 0, 0) < 0)
        return false;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    data[0].effective = data[0].permitted = static_cast<uint32_t>(kept);
    return ::syscall(SYS_capset, &header, data) == 0 &&
           ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

void require(bool done, Step step) {
    if (!done) ::_exit(step);
}

}  // namespace

const char* step_name(int status) {
    switch (status) {
        case step_release: return "wait for the release";
        case step_namespaces: return "make the mounts private";
        case step_root: return "enter the root";
        case step_proc: return "mount /proc";
        case step_dev: return "make /dev";
        case step_network: return "bring lo up";
        case step_mounts: return "mount /sys and the others";
        case step_hide: return "mask paths";
        case step_privileges: return "drop privileges";
        case step_execute: return "execute the workload";
        default: return "run the workload";
    }
}

void become_container(const Inside& inside) {
    char byte;
    require(::read(inside.go, &byte, 1) == 1, step_release);
    const bool full = inside.recipe == Recipe::full;
    // Only now: in clone3 it would have taken the floor's own cgroup for the namespace's root.
    require(::unshare(CLONE_NEWCGROUP) == 0 && kernel::mount_flags("/", MS_REC | MS_PRIVATE) == 0 &&
                ::sethostname("floor", 5) == 0,
            step_namespaces);
    require(enter_root(inside.root), step_root);
    require(mount_new("proc", "/proc", closed, nullptr), step_proc);
    require(make_dev(), step_dev);
    if (full) {
        require(raise_loopback(), step_network);
        require(make_other_mounts(), step_mounts);
        require(hide(), step_hide);
        require(limit_privileges(), step_privileges);
    }
    char* const arguments[] = {const_cast<char*>(inside.program), nullptr};
    char* const environment[] = {nullptr};
    ::execve(inside.program, arguments, environment);
    ::_exit(step_execute);
}

}  // namespace mydocker::floor
