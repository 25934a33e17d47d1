// The snapshots of all containers, one file each below state_dir. Written whole or not at all
// (temporary file, rename) and never synced: they live on a tmpfs and are void after a reboot.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/unique_fd.hpp"
#include "supervisor/snapshot.hpp"

namespace mydocker::supervisor {

class Snapshots {
public:
    // Makes <state_dir>/containers.
    Snapshots(const std::filesystem::path& state_dir, std::string boot_id);

    // Those of this boot, by id; those of another are removed. What cannot be read is set aside as
    // ID.json.corrupt and told. Throws ForeignVersion, and has touched nothing, where another
    // version of mydockerd has written.
    std::map<std::string, Snapshot> load(std::vector<std::string>& problems) const;
    void save(const Snapshot& snapshot) const;  // throws std::system_error with the path
    void forget(const std::string& id) const;
    const std::string& boot() const { return boot_id_; }

private:
    std::string path_of(const std::string& name) const { return (root_ / name).string(); }

    std::filesystem::path root_;
    std::string boot_id_;
    runtime::UniqueFd directory_;
};

std::string boot_id();  // of this boot of the kernel; throws std::runtime_error

}  // namespace mydocker::supervisor
