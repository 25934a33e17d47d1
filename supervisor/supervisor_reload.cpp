// The host file is read again: what changes, and making it so. See supervisor.hpp.
#include "supervisor/log.hpp"
#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor {

config::Host Supervisor::fresh_host() const {
    if (config_path_.empty())
        throw Refusal{"conflict",
                      "mydockerd was started without a host file: there is nothing to reload"};
    config::Loaded loaded = read_host(config_path_, overrides_);
    if (!loaded.ok())
        throw Refusal{"invalid", config_path_ + " has errors; nothing was changed",
                      loaded.problems};
    return std::move(loaded.host);
}

std::vector<Change> Supervisor::plan(const config::Host& fresh) const {
    std::vector<Change> changes = plan_reload(host_.daemon, host_.containers, fresh);
    tell_amendments(changes, fresh);
    return changes;
}

std::vector<Change> Supervisor::plan() const { return plan(fresh_host()); }

std::vector<Change> Supervisor::reload() {
    if (shutting_down_) throw Refusal{"busy", "mydockerd is shutting down"};
    const config::Host fresh = fresh_host();
    std::vector<Change> changes = plan(fresh);
    for (Change& change : changes) {
        try {
            apply(change, fresh);
        } catch (const std::system_error& error) {
            change.failed = true;
            change.reason = "failed, and left as it was: " + std::string(error.what());
            log::error("reload: {}: {}", change.container, error.what());
            continue;
        } catch (const Refusal& refusal) {
            change.failed = true;
            change.reason = "refused: " + refusal.text;
            log::error("reload: {}: {}", change.container, refusal.text);
            continue;
        }
        journal_.add({.type = "reload",
                      .container = change.container,
                      .state = std::string(name(change.kind)),
                      .reason = change.reason});
    }
    save_in_force();
    log::info("reloaded {}: {} changes", config_path_, changes.size());
    return changes;
}

void Supervisor::apply(Change& change, const config::Host& fresh) {
    const std::string& name = change.container;
    if (name.empty()) {
        if (change.kind != ChangeKind::refuse) apply_daemon(fresh.daemon);
        return;
    }
    if (change.kind == ChangeKind::remove) {
        const ContainerPtr container = find(name);
        const config::Container before = host_.containers.at(name);
        host_.containers.erase(name);
        save_in_force();  // first: else the next mydockerd could bring it back without its data
        try {
            return container->at_rest() ? erase(name) : container->leave();
        } catch (const std::system_error&) {
            host_.containers.emplace(name, before);
            throw;
        }
    }
    const config::Container& wanted = fresh.containers.at(name);
    if (change.kind == ChangeKind::add) {
        if (containers_.contains(name))
            throw Refusal{"conflict",
                          containers_.at(name)->leaving()
                              ? "the old one of this name is still being removed; reload again"
                              : "a container of this name was made by a client"};
        add_from_file(wanted);
        if (wanted.autostart != config::Autostart::no)
            containers_.at(name)->start();
        else
            containers_.at(name)->note();
    } else {
        const ContainerPtr container = find(name);
        StoredContainer stored = container->stored();
        const config::Container in_force = amend(stored, wanted);
        if (change.kind == ChangeKind::recreate) {
            container->configure_next(in_force);
            if (!container->at_rest()) container->restart();
        } else {
            container->configure(in_force);
        }
        keep(*container, std::move(stored));
    }
    host_.containers[name] = wanted;
}

void Supervisor::apply_daemon(const config::Daemon& fresh) {
    for (config::Daemon* daemon : {&host_.daemon, &services_.settings}) {
        daemon->max_concurrent_starts = fresh.max_concurrent_starts;
        daemon->shutdown_timeout = fresh.shutdown_timeout;
        daemon->limits = fresh.limits;
    }
    gate_.set_width(fresh.max_concurrent_starts);
}

}  // namespace mydocker::supervisor
