// The steps that shape the process itself: its network device, directory, user and privileges.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/init/steps.hpp"

namespace mydocker::init {

const char* Texts::at(uint32_t index) const {
    const char* text = data;
    const char* end = data + bytes;
    for (uint32_t i = 0; i < index && text < end; ++i)
        text += ::strnlen(text, static_cast<size_t>(end - text)) + 1;
    return index < count && text < end ? text : "";
}

char** Texts::as_vector() const {
    const size_t size = (static_cast<size_t>(count) + 1) * sizeof(char*);
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    char** vector = static_cast<char**>(memory);
    const char* text = data;
    const char* end = data + bytes;
    for (uint32_t i = 0; i < count && text < end; ++i) {
        vector[i] = const_cast<char*>(text);
        text += ::strnlen(text, static_cast<size_t>(end - text)) + 1;
    }
    return vector;
}

int loopback_up() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    ifreq request{};
    ::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const int error = ::ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? errno : 0;
    ::close(fd);
    return error;
}

int set_oom_score_adj(int value) {
    char text[16];
    size_t size = 0;
    if (value < 0) text[size++] = '-';
    const int magnitude = value < 0 ? -value : value;
    for (int unit = 1000; unit > 0; unit /= 10)
        if (magnitude >= unit || unit == 1)
            text[size++] = static_cast<char>('0' + magnitude / unit % 10);
    const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int error = ::write(fd, text, size) < 0 ? errno : 0;
    ::close(fd);
    return error;
}

int enter_cgroup(int cgroup) {
    const int procs = ::openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (procs < 0) return errno;
    const int error = ::write(procs, "0", 1) < 0 ? errno : 0;
    ::close(procs);
    ::close(cgroup);
    return error;
}

// setns(2) with a pidfd, Linux >= 5.8. Root and working directory become those of the mount
// namespace: no descriptor and no path of the host's is left (CVE-2024-21626).
int join(int pidfd, int namespaces) {
    const int error = ::setns(pidfd, namespaces) < 0 ? errno : 0;
    ::close(pidfd);
    return error;
}

int take_terminal() { return ::ioctl(0, TIOCSCTTY, 0) < 0 ? errno : 0; }

int enter_work_dir(const char* path, bool make) {
    if (::chdir(path) == 0) return 0;
    if (errno != ENOENT || !make) return errno;
    if (const int error = make_dirs(path, 0755)) return error;
    return ::chdir(path) < 0 ? errno : 0;
}

int limit_bounding(uint64_t capabilities) {
    for (int capability = 0; capability < 64; ++capability) {
        if ((capabilities >> capability & 1) != 0) continue;
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return errno == EINVAL ? 0 : errno;  // EINVAL: beyond the last one this kernel knows
    }
    return 0;
}

int set_groups(const Texts& gids) {
    gid_t list[256];
    if (gids.count > 256) return E2BIG;
    for (uint32_t i = 0; i < gids.count; ++i)
        list[i] = static_cast<gid_t>(::strtoul(gids.at(i), nullptr, 10));
    return ::setgroups(gids.count, list) < 0 ? errno : 0;
}

int set_user(uid_t uid, gid_t gid) {
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return errno;
    if (::setresgid(gid, gid, gid) < 0) return errno;
    return ::setresuid(uid, uid, uid) < 0 ? errno : 0;
}

int set_capabilities(uint64_t capabilities, uint64_t ambient) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    for (unsigned half = 0; half < 2; ++half) {
        data[half].effective = data[half].permitted =
            static_cast<uint32_t>(capabilities >> (32 * half));
        data[half].inheritable = static_cast<uint32_t>(ambient >> (32 * half));
    }
    if (::syscall(SYS_capset, &header, data) < 0) return errno;
    for (int capability = 0; capability < 64; ++capability)
        if ((ambient >> capability & 1) != 0 &&
            ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
            return errno;
    return 0;
}

int no_new_privs() { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0; }

}  // namespace mydocker::init
