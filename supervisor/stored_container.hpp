// What is kept of one container on disk, and its form there: JSON with a version.
#pragma once

#include <string>
#include <string_view>

#include "supervisor/attempt.hpp"
#include "supervisor/foreign_version.hpp"

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

inline constexpr int stored_version = 1;

std::string encode(const StoredContainer& container);
// Throws ForeignVersion, or another std::exception that says what is wrong with it.
StoredContainer decode(std::string_view text);

}  // namespace mydocker::supervisor
