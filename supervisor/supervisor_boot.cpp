// How mydockerd begins: with the containers it knows from disk, with what an earlier mydockerd left
// running of them, and with what the host file wants started. See supervisor.hpp.
#include <unistd.h>

#include <algorithm>

#include "supervisor/hook.hpp"
#include "supervisor/host_in_force.hpp"
#include "supervisor/log.hpp"
#include "supervisor/state_file.hpp"
#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor {

namespace {

constexpr int leftover_patience_ms = 5000;

bool starts_by_itself(const Container& container) {
    const config::Autostart autostart = container.config().autostart;
    return autostart == config::Autostart::yes ||
           (autostart == config::Autostart::unless_stopped && !container.stored().stopped);
}

}  // namespace

void Supervisor::boot(std::vector<runtime::Held> held, bool is_first) {
    // First: they throw, before anything is touched, where another version's state lies.
    Store::Found found = store_.load(warnings_);
    left_ = snapshots_.load(warnings_);
    for (runtime::Held& each : held) {
        std::string id = container_of(each.key);
        held_.emplace(std::move(id), std::move(each));
    }
    const auto shutdown = load_of_boot(shutdown_mark(), snapshots_.boot());
    const std::size_t known_before = left_.size();
    std::vector<Store::Entry> known = sort(std::move(found.containers));
    const std::size_t living = kill_unwanted(known);
    for (const auto& path : found.rubbish) remove_tree(executor_, path);
    for (const std::string& warning : warnings_) log::error("{}", warning);
    if (is_first && shutdown) void_what_rests();
    for (Store::Entry& each : known)
        add(std::move(each.stored), std::move(each.settings->container));
    for (const auto& [name, config] : host_.containers) try_to_add(config);
    for (const auto& [name, stays] : kept_)
        log::info("{} is no longer in the host file; its log and writable layer are kept in {}",
                  name, store_.directory(stays.id).string());
    forget_the_rest();
    last_records_.clear();
    if (!is_in_force_) save_in_force();
    const auto all = containers_;  // who leaves now is erased meanwhile
    for (const auto& [name, container] : all)
        begin(*container, is_first && shutdown && starts_by_itself(*container));
    journal_.add(
        {.type = "daemon",
         .reason = known_before == 0
                       ? "started with " + std::to_string(containers_.size()) + " containers"
                       : "took over " + std::to_string(known_before) + " containers, " +
                             std::to_string(living) + " of them alive, from the mydockerd before"});
    if (is_first) ::unlink(shutdown_mark().c_str());
    if (is_first && known_before > 0 && !config_path_.empty()) catch_up();
    if (is_first || !shutdown) return;
    shut_down(*shutdown);
    resumed_ = true;
}

// Which of them are containers now: a client's, and those that were on their way out of the host
// file. The file's own are kept_ until it is their turn, and others until the file has them again.
std::vector<Store::Entry> Supervisor::sort(std::vector<Store::Entry> stored) {
    std::vector<Store::Entry> known;
    known.reserve(stored.size());
    std::set<std::string> names;
    for (Store::Entry& entry : stored) {
        auto& [each, settings, version] = entry;
        const auto snapshot = left_.find(each.id);
        const bool leaves = snapshot != left_.end() && !snapshot->second.leaving.empty();
        const bool in_file = host_.containers.contains(each.name);
        if (each.origin == Origin::file && (in_file || !leaves)) {
            kept_.emplace(each.name, std::move(each));
            continue;
        }
        if (each.origin == Origin::file)
            settings = std::make_unique<config::LoadedContainer>(
                config::load_container_json(snapshot->second.leaving, each.name));
        const bool taken = in_file || names.contains(each.name);
        if (settings->ok() && !taken) {
            names.insert(each.name);
            known.push_back(std::move(entry));
            continue;
        }
        warnings_.push_back("container " + each.name + " (" + each.id.substr(0, 12) +
                            ") is not loaded: " +
                            (in_file ? "the host file has one of this name"
                             : taken ? "there is another one of this name"
                                     : config::to_string(settings->problems.front())));
    }
    return known;
}

// What no container of ours will answer for. How many live on.
std::size_t Supervisor::kill_unwanted(const std::vector<Store::Entry>& known) {
    std::set<std::string> living;
    const auto keep = [&](const std::string& id) {
        const auto it = left_.find(id);
        if (it != left_.end() && it->second.living) living.insert(id);
    };
    for (const Store::Entry& each : known) keep(each.stored.id);
    for (const auto& [name, stored] : kept_)
        if (host_.containers.contains(name)) keep(stored.id);
    for (const std::string& name : tree_.remove_leftovers(leftover_patience_ms, living))
        log::warn("killed what an earlier mydockerd left running in {}",
                  (tree_.path() / name).string());
    return living.size();
}

// Both mydockerd and its keeper died while they were shutting down, and this is another start: of
// who was stopped by that, autostart decides as it would have.
void Supervisor::void_what_rests() {
    std::erase_if(left_, [&](const auto& each) {
        if (!each.second.living) snapshots_.forget(each.first);
        return !each.second.living;
    });
}

// A new one that cannot be written down is not all the others' trouble.
void Supervisor::try_to_add(const config::Container& config) {
    if (kept_.contains(config.name)) return add_from_file(config);
    try {
        add_from_file(config);
    } catch (const std::system_error& error) {
        warnings_.push_back("container " + config.name + " of the host file is not loaded: " +
                            error.what() + "; mend that, then mydocker-ctl reload");
        log::error("{}", warnings_.back());
    }
}

// Once all of them are there. `again`: whatever it did before.
void Supervisor::begin(Container& container, bool again) {
    try {
        if (again || (container.is_new() && starts_by_itself(container)))
            container.start();
        else if (container.is_new())  // of the others there is a note already
            container.note();
    } catch (const std::system_error& error) {
        warnings_.push_back(container.name() + " is not started: " + error.what());
        log::error("{}", warnings_.back());
    }
    // It had ended, and somebody was still to remove it.
    if (container.at_rest() && (container.leaving() || container.attempts() > 0))
        on_rest(container);
}

// We went on with the settings of a mydockerd that is long gone: now those of the file.
void Supervisor::catch_up() {
    try {
        reload();
    } catch (const Refusal& refusal) {
        warnings_.push_back(refusal.text + ": the settings of an earlier mydockerd stay in force");
        log::error("{}", warnings_.back());
        for (const auto& problem : refusal.problems) log::error("{}", config::to_string(problem));
    }
}

Inheritance Supervisor::inherit(const std::string& id) {
    Inheritance from;
    if (const auto it = left_.find(id); it != left_.end()) {
        from.snapshot = std::move(it->second);
        left_.erase(it);
    }
    from.last = last_records_.take(id, [&] { return Ledger(store_.ledger(id)).version(); });
    const auto [begin, end] = held_.equal_range(id);
    for (auto it = begin; it != end; ++it) from.held.push_back(std::move(it->second));
    held_.erase(begin, end);
    return from;
}

// What was left of containers that are no more.
void Supervisor::forget_the_rest() {
    for (const auto& [id, snapshot] : std::exchange(left_, {})) snapshots_.forget(id);
    for (const auto& [id, each] : std::exchange(held_, {})) services_.keeper.forget(each.key);
}

void Supervisor::save_in_force() {
    try {
        save_host_in_force(host_, snapshots_.boot());
    } catch (const std::system_error& error) {
        log::error("{}; should mydockerd die now, its successor would read the host file anew",
                   error.what());
    }
}

void Supervisor::hold_all_in(KeeperLink& keeper) {
    for (const auto& [name, container] : containers_) container->hold_in(keeper);
}

void Supervisor::add(StoredContainer stored, config::Container config) {
    auto container = std::make_shared<Container>(services_, std::move(stored), std::move(config));
    container->adopt(inherit(container->id()), warnings_);
    containers_.emplace(container->name(), container);
    container->open();
    changed.ring();
}

void Supervisor::add_from_file(const config::Container& config) {
    StoredContainer stored;
    if (const auto it = kept_.find(config.name); it != kept_.end()) {
        stored = it->second;
        kept_.erase(it);
    } else {
        stored.id = new_id();
        stored.name = config.name;
        stored.created = std::chrono::system_clock::now();
        store_.save(stored);
    }
    const std::string before = stored.amendment;
    config::Container in_force = amend(stored, config);
    try {
        if (stored.amendment != before) store_.save(stored);
    } catch (const std::system_error& error) {  // the next mydockerd comes to the same
        log::error("{}: {}", config.name, error.what());
    }
    add(std::move(stored), std::move(in_force));
}

}  // namespace mydocker::supervisor
