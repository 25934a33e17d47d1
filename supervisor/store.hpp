// What must outlive mydockerd, on disk below data_root: one directory a container, named by its id,
// with container.json, the log and the writable layer. Each write is whole or not there at all
// (temporary file, fsync, rename, fsync of the directory), before anybody is told that it was done.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "supervisor/attempt.hpp"

namespace mydocker::supervisor {

enum class Origin : unsigned char { file, client };

struct StoredContainer {
    std::string id;  // 32 hexadecimal digits
    std::string name;
    Origin origin = Origin::file;
    bool stopped = false;      // by the operator: autostart = "unless-stopped" asks
    bool auto_remove = false;  // run --rm
    WallTime created{};
    // Of the file's container: what `update` changed (amendment.hpp), and the file's container as
    // it was then. "" where nothing was.
    std::string amendment;
    std::string amended_file;
    std::string config_json;  // of a client's container: what config::load_container_json reads
};

class Store {
public:
    explicit Store(std::filesystem::path data_root);  // makes <data_root>/containers

    // Everything readable. What is not is set aside as container.json.corrupt and told in
    // `problems`; its directory stays for somebody to look at.
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
