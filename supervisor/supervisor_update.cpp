// Changing a container that there is: its settings, what of them outlives the host file's, its
// name. See supervisor.hpp.
#include "config/scalar.hpp"
#include "supervisor/amendment.hpp"
#include "supervisor/log.hpp"
#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor {

Supervisor::Updated Supervisor::update(Container& container, const std::string& patch) {
    if (shutting_down_) throw Refusal{"busy", "mydockerd is shutting down"};
    if (container.leaving()) throw Refusal{"conflict", container.name() + " is being removed"};
    const config::Container before = container.config();
    config::LoadedContainer after = amended(before, patch);
    if (!after.ok()) {
        const std::string first = config::to_string(after.problems.front());
        throw Refusal{"invalid", first, after.problems};
    }
    const auto changes = compare(before, after.container);
    for (const KeyChange& change : changes)
        if (change.kind == ChangeKind::recreate)
            throw Refusal{"conflict", change.key +
                                          " cannot be changed of a container that there "
                                          "is; nothing was changed"};
    Updated updated{change_of(container.name(), changes), std::move(after.problems)};
    if (changes.empty()) {
        updated.change.reason = "it is so already";
        return updated;
    }
    StoredContainer stored = container.stored();
    if (stored.origin == Origin::client) {
        stored.config_json = config::dump_json(after.container);
    } else {
        const config::Container& file = host_.containers.at(container.name());
        stored.amendment = amendment_between(file, after.container);
        stored.amended_file = stored.amendment.empty() ? "" : config::dump_json(file);
    }
    try {
        container.configure(after.container);
    } catch (const std::system_error& error) {
        throw Refusal{"failed", container.name() + " is left as it was: " + error.what()};
    }
    try {
        store_.save(stored);
    } catch (...) {
        container.configure(before);
        throw;
    }
    container.remember(std::move(stored));
    log::info("{}: updated: {}", container.name(), updated.change.reason);
    journal_.add({.type = "update",
                  .container = container.name(),
                  .id = container.id(),
                  .state = std::string(name(updated.change.kind)),
                  .reason = updated.change.reason});
    return updated;
}

// What is in force of a container of the file, and what is left of its amendment beside it.
config::Container Supervisor::amend(StoredContainer& stored, const config::Container& file) const {
    if (stored.amendment.empty()) return file;
    const auto old = config::load_container_json(stored.amended_file, file.name);
    std::string left = old.ok() ? rebased(stored.amendment, old.container, file) : stored.amendment;
    config::Container result = in_force(file, left);
    if (left != stored.amendment)
        log::info("{}: the host file's word goes again instead of an update's", file.name);
    stored.amendment = left;
    stored.amended_file = left.empty() ? "" : config::dump_json(file);
    return result;
}

void Supervisor::keep(Container& container, StoredContainer stored) {
    if (stored.amendment == container.stored().amendment &&
        stored.amended_file == container.stored().amended_file)
        return;
    store_.save(stored);
    container.remember(std::move(stored));
}

// Says of each change what becomes of the updates beside the file.
void Supervisor::tell_amendments(std::vector<Change>& changes, const config::Host& fresh) const {
    for (Change& change : changes) {
        const auto it = containers_.find(change.container);
        if (it == containers_.end() || !fresh.containers.contains(change.container)) continue;
        StoredContainer stored = it->second->stored();
        if (stored.origin != Origin::file || stored.amendment.empty()) continue;
        const auto keys = keys_of(stored.amendment);
        const auto old = config::load_container_json(stored.amended_file, change.container);
        const auto left = keys_of(
            rebased(stored.amendment, old.container, fresh.containers.at(change.container)));
        for (const std::string& key : keys) {
            const bool stays = std::ranges::find(left, key) != left.end();
            change.reason += "; " + key + (stays ? " stays as updated" : "'s update ends");
        }
    }
}

void Supervisor::rename(Container& container, const std::string& to) {
    const std::string from = container.name();
    if (shutting_down_) throw Refusal{"busy", "mydockerd is shutting down"};
    if (container.stored().origin == Origin::file)
        throw Refusal{"conflict", from +
                                      " has its name from the host file: change it there, then "
                                      "mydocker-ctl reload"};
    if (container.leaving()) throw Refusal{"conflict", from + " is being removed"};
    if (from == to) return;
    if (containers_.contains(to)) throw Refusal{"conflict", "the name \"" + to + "\" is taken"};
    StoredContainer stored = container.stored();
    stored.name = to;
    store_.save(stored);
    container.remember(std::move(stored));
    auto node = containers_.extract(from);
    node.key() = to;
    containers_.insert(std::move(node));
    log::info("{}: renamed to {}", from, to);
    journal_.add({.type = "update",
                  .container = to,
                  .id = container.id(),
                  .state = "renamed",
                  .reason = "renamed from " + from});
    container.changed.ring();
    changed.ring();
}

}  // namespace mydocker::supervisor
