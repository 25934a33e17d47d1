// The snapshots of all containers, one file each below state_dir. Written whole or not at all
// (temporary file, rename) and never synced: they live on a tmpfs and are void after a reboot.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/unique_fd.hpp"
#include "supervisor/read_ahead.hpp"
#include "supervisor/snapshot.hpp"

namespace mydocker::supervisor {

class Snapshots {
public:
    // Makes <state_dir>/containers.
    Snapshots(const std::filesystem::path& state_dir, std::string boot_id);

    struct Found {
        std::map<std::string, Snapshot> snapshots;    // those of this boot, by id
        std::map<std::string, FileVersion> versions;  // of the files that were read for it
        std::vector<std::string> useless;             // files of another boot, or not finished
        std::vector<std::pair<std::string, std::string>> broken;  // files, and what is wrong
    };
    // Touches nothing. Throws ForeignVersion where another version of mydockerd has written, and
    // std::system_error where one cannot be read now: what lives must not be taken for lost.
    Found look() const;
    // What was found counts at the next look() where its file has not changed.
    void keep(Found found);
    // As look(), and removes what is useless; what is broken is set aside as ID.json.corrupt and
    // told.
    std::map<std::string, Snapshot> load(std::vector<std::string>& problems) const;
    void save(const Snapshot& snapshot) const;  // throws std::system_error with the path
    void forget(const std::string& id) const;
    const std::string& boot() const { return boot_id_; }
    std::size_t known() const { return known_.size(); }  // that keep() was given
    std::string path_of(const std::string& file) const { return (root_ / file).string(); }
    bool is_of(const std::filesystem::path& state_dir) const;

private:
    std::filesystem::path root_;
    std::string boot_id_;
    runtime::UniqueFd directory_;
    mutable ReadAhead<Snapshot> known_;  // by file
};

std::string boot_id();  // of this boot of the kernel; throws std::runtime_error

}  // namespace mydocker::supervisor
