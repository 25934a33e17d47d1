// What child.cpp's switch calls: each function does one kind of step and returns 0 or an errno.
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/init/init.hpp"
#include "runtime/init/syscalls.hpp"
#include "runtime/init/wire.hpp"

namespace mydocker::init {

// The strings of one step, where they lie in the plan.
struct Texts {
    const char* data;
    uint32_t count;
    uint32_t bytes;

    // The n-th string; "" beyond the last.
    const char* at(uint32_t index) const;
    // All of them as a null-terminated vector, as execve(2) wants it; null without memory.
    char** as_vector() const;
};

// steps_mount.cpp. Paths are the container's: it has entered its root before any of these but the
// first two.
int attach_root(int mount_fd);
int enter_root();
int mount_new(const Texts& texts, unsigned attributes, mode_t mode, bool follow_symlinks);
int attach(const char* target, int mount_fd, bool directory);
int make_dirs(const char* path, mode_t mode);
int make_device(const char* path, mode_t mode, uint64_t major, uint64_t minor);
int make_console();
int mask(const char* path);
int make_read_only(const char* path);
int seal_root();

// steps_process.cpp
int loopback_up();
int set_oom_score_adj(int value);
int enter_cgroup(int cgroup);         // closes it
int join(int pidfd, int namespaces);  // closes it
int take_terminal();
int enter_work_dir(const char* path, bool make);
int limit_bounding(uint64_t capabilities);
int set_groups(const Texts& gids);
int set_user(uid_t uid, gid_t gid);
int set_capabilities(uint64_t capabilities, uint64_t ambient);
int no_new_privs();

}  // namespace mydocker::init
