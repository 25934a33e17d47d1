// System calls that the distribution's C library has no function for, with their structures.
// open_tree(2) and its family are Linux >= 5.2, mount_setattr 5.12, clone3 5.3
// (CLONE_INTO_CGROUP 5.7). <sys/mount.h> is not used beside <linux/mount.h>: their definitions
// collide in some C libraries.
#pragma once

#include <linux/mount.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mydocker::kernel {

inline int open_tree(int dir, const char* path, unsigned flags) {
    return static_cast<int>(::syscall(SYS_open_tree, dir, path, flags));
}
inline int move_mount(int from, const char* from_path, int to, const char* to_path,
                      unsigned flags) {
    return static_cast<int>(::syscall(SYS_move_mount, from, from_path, to, to_path, flags));
}
inline int fsopen(const char* type, unsigned flags) {
    return static_cast<int>(::syscall(SYS_fsopen, type, flags));
}
inline int fsconfig(int fd, unsigned command, const char* key, const void* value, int aux) {
    return static_cast<int>(::syscall(SYS_fsconfig, fd, command, key, value, aux));
}
inline int fsmount(int fd, unsigned flags, unsigned attributes) {
    return static_cast<int>(::syscall(SYS_fsmount, fd, flags, attributes));
}
inline int mount_setattr(int dir, const char* path, unsigned flags, struct mount_attr* attributes) {
    return static_cast<int>(
        ::syscall(SYS_mount_setattr, dir, path, flags, attributes, sizeof *attributes));
}
inline int mount_flags(const char* path, unsigned long flags) {  // mount(2) that only sets flags
    return static_cast<int>(::syscall(SYS_mount, nullptr, path, nullptr, flags, nullptr));
}
inline int unmount_detached(const char* path) {  // umount2(2) with MNT_DETACH
    constexpr int detach = 2;
    return static_cast<int>(::syscall(SYS_umount2, path, detach));
}
inline int pivot_root(const char* new_root, const char* put_old) {
    return static_cast<int>(::syscall(SYS_pivot_root, new_root, put_old));
}
inline long clone3(struct clone_args* arguments) {
    return ::syscall(SYS_clone3, arguments, sizeof *arguments);
}

}  // namespace mydocker::kernel
