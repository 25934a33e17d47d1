// The layer is read as the kernel's overlayfs document describes it: a character device 0:0 hides
// the lower entry of that name (whiteout), a directory marked opaque hides all of the lower one's.
// See changes.hpp.
#include "tools/files/changes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "tools/files/directory.hpp"
#include "tools/files/tree_error.hpp"

namespace mydocker::files {

namespace {

// Null where there is no such directory.
Directory open_directory(int parent, const char* name, const std::string& path) {
    const int fd =
        ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ESTALE)
            return nullptr;
        fail(errno, "read the directory " + path);
    }
    Directory directory(::fdopendir(fd));
    if (!directory) ::close(fd);
    return directory;
}

bool is_whiteout(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

bool is_opaque(int directory) {
    char value[2];
    for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"})
        if (::fgetxattr(directory, name, value, sizeof value) == 1 && value[0] == 'y') return true;
    return false;
}

bool same(const struct stat& one, const struct stat& other) {
    return one.st_mode == other.st_mode && one.st_uid == other.st_uid &&
           one.st_gid == other.st_gid && one.st_mtim.tv_sec == other.st_mtim.tv_sec &&
           one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

template <class Function>
void for_each_name(DIR* directory, const std::string& path, const Function& function) {
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(directory);
        if (entry == nullptr) break;
        const std::string name = entry->d_name;
        if (name != "." && name != "..") function(name);
    }
    if (errno != 0 && errno != ENOENT) fail(errno, "read the directory " + path);
}

// One directory that is in the upper layer. Its own line is told before the first one of what is
// in it, once it is known to be needed.
class Level {
public:
    Level(const ChangeSink& sink, std::string path, bool told)
        : sink_(sink), path_(std::move(path)), told_(told) {}

    // `lower`: the same directory below, null where there is none.
    void compare(DIR* upper, DIR* lower, int depth);

private:
    void tell(char kind, const std::string& path) {
        if (kind != 'C' && !std::exchange(told_, true)) sink_('C', path_);
        sink_(kind, path);
    }
    void compare_entry(const std::string& name, DIR* upper, DIR* lower, int depth);

    const ChangeSink& sink_;
    std::string path_;  // "" for the root
    bool told_;
};

void Level::compare(DIR* upper, DIR* lower, int depth) {
    if (depth >= deepest)
        throw TreeError(TreeError::Kind::failed,
                        path_ + ": over " + std::to_string(deepest) + " directories deep");
    if (lower != nullptr && is_opaque(::dirfd(upper)))
        for_each_name(lower, path_, [&](const std::string& name) {
            struct stat status {};
            if (::fstatat(::dirfd(upper), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0)
                tell('D', path_ + "/" + name);
        });
    for_each_name(upper, path_,
                  [&](const std::string& name) { compare_entry(name, upper, lower, depth); });
}

void Level::compare_entry(const std::string& name, DIR* upper, DIR* lower, int depth) {
    const std::string path = path_ + "/" + name;
    struct stat above {};
    if (::fstatat(::dirfd(upper), name.c_str(), &above, AT_SYMLINK_NOFOLLOW) < 0) return;  // gone
    struct stat below {};
    const bool existed = lower != nullptr &&
                         ::fstatat(::dirfd(lower), name.c_str(), &below, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_whiteout(above)) {
        if (existed) tell('D', path);
        return;
    }
    const bool directories = existed && S_ISDIR(above.st_mode) && S_ISDIR(below.st_mode);
    const bool told = !directories || !same(above, below);
    if (told) tell(existed ? 'C' : 'A', path);
    if (!S_ISDIR(above.st_mode)) return;
    const Directory inner = open_directory(::dirfd(upper), name.c_str(), path);
    if (!inner) return;
    const Directory inner_lower =
        directories ? open_directory(::dirfd(lower), name.c_str(), path) : nullptr;
    Level(sink_, path, told).compare(inner.get(), inner_lower.get(), depth + 1);
}

}  // namespace

void find_changes(int upper, int lower, const ChangeSink& sink) {
    const Directory above = open_directory(upper, ".", "/");
    const Directory below = open_directory(lower, ".", "/");
    if (!above || !below) fail(ENOENT, "read the container's layers");
    // The root itself is never told.
    Level(sink, "", true).compare(above.get(), below.get(), 0);
}

}  // namespace mydocker::files
