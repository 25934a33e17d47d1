// A container's root and volumes as detached mounts: made here by the daemon, moved into place by
// the init. A descriptor cannot be raced by a symlink, and what was never attached on the host need
// not be unmounted there: the mount ends with its last descriptor or with the container's mount
// namespace.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/spec.hpp"
#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

// The root: a clone of root.path's mount, or an overlay over it. Private in its propagation.
// Throws with the path when the directory is missing or cannot be an overlay's layer.
UniqueFd open_root(const Root& root);

// A bind mount's source, with everything mounted below it, private, read-only where asked.
struct BindSource {
    UniqueFd mount;
    bool directory = true;
};
BindSource open_bind(const Mount& mount);

// Who the workload is. Names are looked up in /etc/passwd and /etc/group inside `root`, which is
// hostile: no symlink leads out of it, and only a regular file of at most 1 MiB is read.
struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary
    std::string home = "/root";
};
User find_user(const UniqueFd& root, const std::string& text);

}  // namespace mydocker::runtime
