// What must outlive mydockerd, on disk below data_root: one directory a container, named by its id,
// with container.json, the log and the writable layer. Each write is whole or not there at all
// (temporary file, fsync, rename, fsync of the directory), before anybody is told that it was done.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "supervisor/stored_container.hpp"

namespace mydocker::supervisor {

class Store {
public:
    explicit Store(const std::filesystem::path& data_root);  // makes <data_root>/containers

    // Everything readable. What is not is set aside as container.json.corrupt and told in
    // `problems`; its directory stays for somebody to look at. Throws ForeignVersion, and has
    // touched nothing, where another version of mydockerd has written.
    std::vector<StoredContainer> load(std::vector<std::string>& problems) const;
    void save(const StoredContainer& container) const;  // throws std::system_error with the path
    // It is no more; its directory, with log and writable layer, is left for remove_tree().
    void forget(const std::string& id) const;
    // Directories that a crash left between forget() and remove_tree().
    std::vector<std::filesystem::path> rubbish() const;

    std::filesystem::path directory(const std::string& id) const { return root_ / id; }

private:
    std::filesystem::path root_;
};

std::string new_id();  // getrandom(2)

}  // namespace mydocker::supervisor
