// The steps that build a container's file system. The init's mount namespace is its own and
// private, and after enter_root() nothing of the host's can be named: a symlink planted in a
// hostile root leads nowhere but into that root. /proc, /sys and /dev themselves must not be
// symlinks all the same.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/init/steps.hpp"

namespace mydocker::init {

namespace {

int open_target(const char* path, uint64_t extra_flags, uint64_t resolve) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC | extra_flags;
    how.resolve = resolve;
    return static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

// Mounts `mount_fd` on what `target` is open on; both are closed.
int move_onto(int mount_fd, int target) {
    const int result = kernel::move_mount(mount_fd, "", target, "",
                                          MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
    const int error = result < 0 ? errno : 0;
    ::close(target);
    ::close(mount_fd);
    return error;
}

// The same by path, which must exist.
int move_onto(int mount_fd, const char* path, uint64_t resolve) {
    const int target = open_target(path, 0, resolve);
    return target < 0 ? errno : move_onto(mount_fd, target);
}

// "key=value" or "flag" into a file system context; returns 0 or an errno.
int set_option(int context, const char* option) {
    const char* equals = ::strchr(option, '=');
    if (equals == nullptr)
        return kernel::fsconfig(context, FSCONFIG_SET_FLAG, option, nullptr, 0) < 0 ? errno : 0;
    char key[64];
    const auto size = static_cast<size_t>(equals - option);
    if (size >= sizeof key) return ENAMETOOLONG;
    ::memcpy(key, option, size);
    key[size] = '\0';
    return kernel::fsconfig(context, FSCONFIG_SET_STRING, key, equals + 1, 0) < 0 ? errno : 0;
}

}  // namespace

int attach_root(int mount_fd) {
    if (kernel::move_mount(mount_fd, "", AT_FDCWD, new_root, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return errno;
    return ::fchdir(mount_fd) < 0 ? errno : 0;
}

// The trick of pivot_root(2): "." over ".", then the old root lies on top and is unmounted.
int enter_root() {
    if (kernel::pivot_root(".", ".") < 0) return errno;
    if (kernel::unmount_detached(".") < 0) return errno;
    return ::chdir("/") < 0 ? errno : 0;
}

int make_dirs(const char* path, mode_t mode) {
    if (::mkdir(path, mode) == 0) return 0;  // nearly always: its parent is there
    char part[4096];
    const size_t size = ::strlen(path);
    if (size >= sizeof part) return ENAMETOOLONG;
    for (size_t i = 1; i <= size; ++i) {
        if (path[i] != '/' && path[i] != '\0') continue;
        ::memcpy(part, path, i);
        part[i] = '\0';
        const bool last = i == size;
        if (::mkdir(part, last ? mode : 0755) < 0) {
            const int error = errno;
            if (error != EEXIST && error != EROFS) return error;
            struct stat status;
            // It exists and yet does not: a symlink that leads nowhere.
            if (::stat(part, &status) < 0) return errno == ENOENT && error == EROFS ? EROFS : errno;
            if (!S_ISDIR(status.st_mode)) return ENOTDIR;
        }
    }
    return 0;
}

int mount_new(const Texts& texts, unsigned attributes, mode_t mode, bool follow_symlinks) {
    const char* target = texts.at(0);
    const uint64_t resolve =
        RESOLVE_NO_MAGICLINKS | (follow_symlinks ? 0 : static_cast<uint64_t>(RESOLVE_NO_SYMLINKS));
    int place = open_target(target, O_DIRECTORY, resolve);
    if (place < 0) {
        if (errno != ENOENT) return errno;
        if (const int error = make_dirs(target, mode)) return error;
        place = open_target(target, O_DIRECTORY, resolve);
        if (place < 0) return errno;
    }
    const int context = kernel::fsopen(texts.at(1), FSOPEN_CLOEXEC);
    if (context < 0) return errno;
    int error = 0;
    for (uint32_t i = 2; i < texts.count && error == 0; ++i)
        error = set_option(context, texts.at(i));
    if (error == 0 && kernel::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
        error = errno;
    const int made = error == 0 ? kernel::fsmount(context, FSMOUNT_CLOEXEC, attributes) : -1;
    if (error == 0 && made < 0) error = errno;
    ::close(context);
    return error != 0 ? error : move_onto(made, place);
}

int attach(const char* target, int mount_fd, bool directory) {
    struct stat status;
    if (::stat(target, &status) < 0) {
        if (errno != ENOENT) return errno;
        char parent[4096];
        const char* slash = ::strrchr(target, '/');
        const auto size = static_cast<size_t>(slash - target);
        if (size >= sizeof parent) return ENAMETOOLONG;
        ::memcpy(parent, target, size);
        parent[size] = '\0';
        if (const int error = directory   ? make_dirs(target, 0755)
                              : size == 0 ? 0
                                          : make_dirs(parent, 0755))
            return error;
        if (!directory) {
            const int file =
                ::open(target, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
            if (file < 0) return errno;
            ::close(file);
        }
    } else if (S_ISDIR(status.st_mode) != directory) {
        return directory ? ENOTDIR : EISDIR;
    }
    return move_onto(mount_fd, target, RESOLVE_NO_MAGICLINKS);
}

int make_device(const char* path, mode_t mode, uint64_t major, uint64_t minor) {
    const dev_t device = makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
    return ::mknod(path, S_IFCHR | mode, device) < 0 ? errno : 0;
}

int make_console() {
    const int file =
        ::open("/dev/console", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) return errno;
    ::close(file);
    const int terminal =
        kernel::open_tree(AT_FDCWD, "/dev/pts/0", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (terminal < 0) return errno;
    return move_onto(terminal, "/dev/console", RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

int mask(const char* path) {
    // One empty directory serves all: cloning a mount is cheaper than making a file system.
    static const char* empty_directory = nullptr;
    struct stat status;
    if (::lstat(path, &status) < 0) return errno == ENOENT ? 0 : errno;
    int cover = -1;
    if (!S_ISDIR(status.st_mode)) {
        cover = kernel::open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    } else if (empty_directory != nullptr) {
        cover = kernel::open_tree(AT_FDCWD, empty_directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    } else {
        const int context = kernel::fsopen("tmpfs", FSOPEN_CLOEXEC);
        if (context < 0) return errno;
        if (kernel::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0)
            cover = kernel::fsmount(
                context, FSMOUNT_CLOEXEC,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        const int error = errno;
        ::close(context);
        errno = error;
        empty_directory = path;
    }
    return cover < 0 ? errno : move_onto(cover, path, RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

int make_read_only(const char* path) {
    const int copy =
        kernel::open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (copy < 0) return errno == ENOENT ? 0 : errno;
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (kernel::mount_setattr(copy, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes) < 0) {
        const int error = errno;
        ::close(copy);
        return error;
    }
    return move_onto(copy, path, RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
}

// Only the root's own mount: /dev, /proc, volumes and tmpfs keep what they were given.
int seal_root() {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    return kernel::mount_setattr(AT_FDCWD, "/", 0, &attributes) < 0 ? errno : 0;
}

}  // namespace mydocker::init
