// See root.hpp.
#include "runtime/root.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "runtime/error.hpp"
#include "runtime/init/syscalls.hpp"

namespace mydocker::runtime {

namespace {

void set_attributes(const UniqueFd& mount, bool read_only, const std::string& what) {
    mount_attr attributes{};
    // A clone joins its origin's peer group: without this, mounts made inside would show on the
    // host.
    attributes.propagation = MS_PRIVATE;
    if (read_only) attributes.attr_set = MOUNT_ATTR_RDONLY;
    must(kernel::mount_setattr(mount.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes), what);
}

// What the kernel wrote into a file system context's log: why it refused ("e overlay: …").
std::string context_message(int context) {
    char text[512];
    const ssize_t size = ::read(context, text, sizeof text - 1);
    if (size <= 2) return "";
    return " (" + std::string(text + 2, static_cast<std::size_t>(size) - 2) + ")";
}

void make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) < 0 && errno != EEXIST) fail(errno, "make " + path);
}

UniqueFd make_overlay(const Root& root) {
    make_directory(root.upper);
    make_directory(root.work);
    const std::string what =
        "mount an overlay of " + root.path + " with its writable layer in " + root.upper;
    const UniqueFd context(
        must(kernel::fsopen("overlay", FSOPEN_CLOEXEC), what + ": open overlayfs"));
    const auto set = [&](const char* key, const std::string& value) {
        if (kernel::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) < 0)
            fail(errno, what + ": " + key + context_message(context.get()));
    };
    set("source", "overlay");
    set("lowerdir", root.path);
    set("upperdir", root.upper);
    set("workdir", root.work);
    if (kernel::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) {
        const int error = errno;
        std::string hint = context_message(context.get());
        if (error == EINVAL)
            hint +=
                "; the writable layer cannot itself lie on overlayfs or a network file system: "
                "set data_root to a directory on ext4, xfs, btrfs or tmpfs";
        fail(error, what + hint);
    }
    return UniqueFd(must(kernel::fsmount(context.get(), FSMOUNT_CLOEXEC, 0), what));
}

// A file of the container's root, as text; empty where it is not a plain readable file.
std::string read_inside(const UniqueFd& root, const char* path) {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, root.get(), path, &how, sizeof how)));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) < 0 || !S_ISREG(status.st_mode)) return "";
    std::string text;
    char buffer[8192];
    while (text.size() < (1U << 20)) {
        const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
        if (count <= 0) break;
        text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::size_t at = 0;
    for (std::size_t end = 0; (end = text.find(separator, at)) != std::string::npos; at = end + 1)
        parts.push_back(text.substr(at, end - at));
    parts.push_back(text.substr(at));
    return parts;
}

bool is_number(const std::string& text) {
    return !text.empty() && text.size() <= 10 &&
           text.find_first_not_of("0123456789") == std::string::npos;
}

unsigned to_id(const std::string& text) {
    const unsigned long long value = std::stoull(text);
    if (value >= 0xFFFFFFFFULL) fail(ERANGE, "user or group id " + text);
    return static_cast<unsigned>(value);
}

}  // namespace

UniqueFd open_root(const Root& root) {
    UniqueFd mount = root.upper.empty()
                         ? UniqueFd(must(kernel::open_tree(AT_FDCWD, root.path.c_str(),
                                                           OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
                                         "open rootfs " + root.path))
                         : make_overlay(root);
    struct stat status {};
    must(::fstat(mount.get(), &status), "look at rootfs " + root.path);
    if (!S_ISDIR(status.st_mode)) fail(ENOTDIR, "open rootfs " + root.path);
    set_attributes(mount, false, "make the mount of " + root.path + " private");
    return mount;
}

BindSource open_bind(const Mount& mount) {
    const std::string what = "open volume " + mount.source;
    BindSource result{
        UniqueFd(must(kernel::open_tree(AT_FDCWD, mount.source.c_str(),
                                        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE),
                      what)),
        true};
    struct stat status {};
    must(::fstat(result.mount.get(), &status), what);
    result.directory = S_ISDIR(status.st_mode);
    set_attributes(result.mount, mount.read_only, what);
    return result;
}

User find_user(const UniqueFd& root, const std::string& text) {
    User user;
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    const std::string group = colon == std::string::npos ? "" : text.substr(colon + 1);

    // name:x:uid:gid:comment:home:shell (passwd(5)); a bare uid needs no line, but takes its gid
    // from one.
    bool found = name.empty() || is_number(name);
    if (is_number(name)) user.uid = to_id(name);
    if (user.uid != 0) user.home = "/";
    std::string account = name.empty() ? "root" : name;
    for (const std::string& line :
         split(text.empty() ? "" : read_inside(root, "etc/passwd"), '\n')) {
        const auto fields = split(line, ':');
        if (fields.size() < 7 || !is_number(fields[2]) || !is_number(fields[3])) continue;
        if (fields[0] != account && !(is_number(name) && to_id(fields[2]) == user.uid)) continue;
        account = fields[0];
        user.uid = to_id(fields[2]);
        user.gid = to_id(fields[3]);
        user.home = fields[5];
        found = true;
        break;
    }
    if (!found) fail(ENOENT, "find user \"" + name + "\" in the container's /etc/passwd");
    if (text.empty()) return user;

    bool group_found = group.empty() || is_number(group);
    if (is_number(group)) user.gid = to_id(group);
    for (const std::string& line : split(read_inside(root, "etc/group"), '\n')) {
        const auto fields = split(line, ':');  // name:x:gid:member,member (group(5))
        if (fields.size() < 4 || !is_number(fields[2])) continue;
        if (!group.empty() && fields[0] == group) {
            user.gid = to_id(fields[2]);
            group_found = true;
        }
        if (group.empty())
            for (const std::string& member : split(fields[3], ','))
                if (member == account && user.groups.size() < 256)
                    user.groups.push_back(to_id(fields[2]));
    }
    if (!group_found) fail(ENOENT, "find group \"" + group + "\" in the container's /etc/group");
    return user;
}

}  // namespace mydocker::runtime
