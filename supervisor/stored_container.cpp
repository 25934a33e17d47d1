// See stored_container.hpp.
#include "supervisor/stored_container.hpp"

#include "supervisor/json_fields.hpp"

namespace mydocker::supervisor {

using nlohmann::json;

std::string encode(const StoredContainer& container) {
    json object = {{"version", stored_version},
                   {"id", container.id},
                   {"name", container.name},
                   {"origin", container.origin == Origin::file ? "file" : "client"},
                   {"stopped", container.stopped},
                   {"auto_remove", container.auto_remove},
                   {"created_ns", fields::put(container.created)}};
    if (!container.config_json.empty()) object["container"] = json::parse(container.config_json);
    if (!container.amendment.empty()) {
        object["amendment"] = json::parse(container.amendment);
        object["amended_file"] = json::parse(container.amended_file);
    }
    return object.dump(1) + "\n";
}

StoredContainer decode(std::string_view text) {
    const json object = json::parse(text);
    fields::check_version(object, stored_version);
    StoredContainer container;
    container.id = fields::text(object, "id");
    container.name = fields::text(object, "name");
    const std::string& origin = fields::text(object, "origin");
    if (origin != "file" && origin != "client") throw std::runtime_error("its origin is unknown");
    container.origin = origin == "file" ? Origin::file : Origin::client;
    container.stopped = fields::flag(object, "stopped");
    container.auto_remove = fields::flag(object, "auto_remove");
    container.created = fields::wall_time(object, "created_ns");
    if (object.contains("container")) container.config_json = object.at("container").dump();
    if (object.contains("amendment")) {
        container.amendment = object.at("amendment").dump();
        container.amended_file = fields::at(object, "amended_file").dump();
    }
    return container;
}

}  // namespace mydocker::supervisor
