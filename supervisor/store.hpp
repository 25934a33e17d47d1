// What must outlive mydockerd, on disk below data_root: one directory a container, named by its id,
// with container.json, the log and the writable layer. Each write is whole or not there at all
// (temporary file, fsync, rename, fsync of the directory), before anybody is told that it was done.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "supervisor/read_ahead.hpp"
#include "supervisor/stored_container.hpp"

namespace mydocker::supervisor {

class Store {
public:
    explicit Store(const std::filesystem::path& data_root);  // makes <data_root>/containers

    struct Entry {
        StoredContainer stored;
        // Of a client's container; they may not be valid any more.
        std::unique_ptr<config::LoadedContainer> settings;
        FileVersion version;
    };
    struct Found {
        std::vector<Entry> containers;
        std::vector<std::pair<std::filesystem::path, std::string>> broken;  // files, and why
        // Directories that a crash left between forget() and remove_tree().
        std::vector<std::filesystem::path> rubbish;
    };
    // Touches nothing. Throws ForeignVersion where another version of mydockerd has written, and
    // std::system_error where one cannot be read now.
    Found look() const;
    // What was found counts at the next look() where its file has not changed.
    void keep(Found found);
    // As look(); what is broken is set aside as container.json.corrupt and told in `problems`; its
    // directory stays for somebody to look at.
    Found load(std::vector<std::string>& problems) const;
    void save(const StoredContainer& container) const;  // throws std::system_error with the path
    // It is no more; its directory, with log and writable layer, is left for remove_tree().
    void forget(const std::string& id) const;

    std::filesystem::path directory(const std::string& id) const { return root_ / id; }
    std::size_t known() const { return known_.size(); }  // that keep() was given
    std::filesystem::path ledger(const std::string& id) const { return root_ / id / "attempts"; }
    bool is_of(const std::filesystem::path& data_root) const;

private:
    std::filesystem::path root_;
    mutable ReadAhead<Entry> known_;  // by name of the directory
};

std::string new_id();  // getrandom(2)

}  // namespace mydocker::supervisor
