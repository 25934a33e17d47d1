// See amendment.hpp.
#include "supervisor/amendment.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mydocker::supervisor {

using nlohmann::json;

namespace {

json::json_pointer pointer_to(std::string key) {
    std::ranges::replace(key, '.', '/');
    return json::json_pointer("/" + key);
}

}  // namespace

config::LoadedContainer amended(const config::Container& container, std::string_view patch) {
    json whole = json::parse(config::dump_json(container));
    whole.merge_patch(json::parse(patch));
    return config::load_container_json(whole.dump(), container.name);
}

std::string amendment_between(const config::Container& file, const config::Container& wanted) {
    const json after = json::parse(config::dump_json(wanted));
    json patch = json::object();
    for (const KeyChange& change : compare(file, wanted)) {
        const auto place = pointer_to(change.key);
        patch[place] = after.contains(place) ? after.at(place) : json(nullptr);
    }
    return patch.empty() ? "" : patch.dump();
}

std::string rebased(const std::string& amendment, const config::Container& old_file,
                    const config::Container& new_file) {
    if (amendment.empty()) return "";
    json patch = json::parse(amendment);
    for (const KeyChange& change : compare(old_file, new_file)) {
        const auto place = pointer_to(change.key);
        if (!patch.contains(place)) continue;
        patch.at(place.parent_pointer()).erase(place.back());
    }
    std::erase_if(patch.get_ref<json::object_t&>(), [](const auto& entry) {
        return entry.second.is_object() && entry.second.empty();
    });
    return patch.empty() ? "" : patch.dump();
}

std::vector<std::string> keys_of(const std::string& amendment) {
    std::vector<std::string> keys;
    if (amendment.empty()) return keys;
    const json patch = json::parse(amendment);
    for (const auto& [key, value] : patch.items()) {
        if (!value.is_object()) keys.push_back(key);
        if (value.is_object())
            for (const auto& [inner, ignored] : value.items()) keys.push_back(key + "." + inner);
    }
    return keys;
}

config::Container in_force(const config::Container& file, std::string& amendment) {
    if (amendment.empty()) return file;
    config::LoadedContainer loaded = amended(file, amendment);
    if (loaded.ok()) return std::move(loaded.container);
    amendment.clear();
    return file;
}

}  // namespace mydocker::supervisor
