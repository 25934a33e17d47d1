// cgroup v2: the subtree that mydocker owns, with the controllers that its containers may use.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

// Where cgroup2 is mounted (cgroups(7)): the first cgroup2 entry of /proc/self/mountinfo that can
// be reached.
std::filesystem::path cgroup2_mount();

// The parent of all containers' cgroups, with every controller this host has enabled for them.
class CgroupTree {
public:
    // `configured`: a path below the cgroup2 mount ("/mydocker"), or "": the subtree delegated to
    // us (systemd marks it with the xattr user.delegate or trusted.delegate), else "/mydocker". In
    // a delegated subtree the caller moves into the leaf `supervisor`, since inner nodes hold no
    // processes (cgroups(7)).
    explicit CgroupTree(const std::string& configured);
    ~CgroupTree();  // removes its own directory where it is empty
    CgroupTree(const CgroupTree&) = delete;
    CgroupTree& operator=(const CgroupTree&) = delete;

    const std::filesystem::path& path() const { return path_; }
    int fd() const { return fd_.get(); }
    const std::set<std::string>& controllers() const { return controllers_; }
    // CPUs that a container may be given ("0-1"); empty where there is no cpuset controller.
    std::string cpus() const;

    // Kills and removes cgroups that an earlier run left here, but for `kept`; their names. Waits for each at most
    // `patience_ms`. What could not be removed stays and is met again by Cgroup's constructor.
    std::vector<std::string> remove_leftovers(int patience_ms,
                                              const std::set<std::string>& kept = {});

private:
    std::filesystem::path path_;
    UniqueFd fd_;
    std::set<std::string> controllers_;
    bool ours_ = false;  // made by us, or by a mydockerd before us
};

}  // namespace mydocker::runtime
