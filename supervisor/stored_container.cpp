// See stored_container.hpp.
#include "supervisor/stored_container.hpp"

#include <nlohmann/json.hpp>

namespace mydocker::supervisor {

using nlohmann::json;

std::string encode(const StoredContainer& container) {
    json object = {{"version", stored_version},
                   {"id", container.id},
                   {"name", container.name},
                   {"origin", container.origin == Origin::file ? "file" : "client"},
                   {"stopped", container.stopped},
                   {"auto_remove", container.auto_remove},
                   {"created_ns", container.created.time_since_epoch().count()}};
    if (!container.config_json.empty()) object["container"] = json::parse(container.config_json);
    if (!container.amendment.empty()) {
        object["amendment"] = json::parse(container.amendment);
        object["amended_file"] = json::parse(container.amended_file);
    }
    return object.dump(1) + "\n";
}

StoredContainer decode(std::string_view text) {
    const json object = json::parse(text);
    if (const json& version = object.at("version"); version != stored_version) {
        if (!version.is_number_integer()) throw std::runtime_error("its version is no number");
        throw ForeignVersion("it is of version " + version.dump() + ", and this mydockerd reads " +
                             std::to_string(stored_version));
    }
    StoredContainer container;
    container.id = object.at("id");
    container.name = object.at("name");
    const std::string origin = object.at("origin");
    if (origin != "file" && origin != "client") throw std::runtime_error("its origin is unknown");
    container.origin = origin == "file" ? Origin::file : Origin::client;
    container.stopped = object.at("stopped");
    container.auto_remove = object.at("auto_remove");
    // A conversion of 1e99 would be undefined.
    if (!object.at("created_ns").is_number_integer())
        throw std::runtime_error("its created_ns is no whole number");
    container.created = WallTime(WallTime::duration(object.at("created_ns").get<std::int64_t>()));
    if (object.contains("container")) container.config_json = object.at("container").dump();
    if (object.contains("amendment")) {
        container.amendment = object.at("amendment").dump();
        container.amended_file = object.at("amended_file").dump();
    }
    return container;
}

}  // namespace mydocker::supervisor
