// See supervisor.hpp.
#include "supervisor/supervisor.hpp"

#include <algorithm>
#include <filesystem>
#include <random>

#include "config/scalar.hpp"
#include "supervisor/hook.hpp"
#include "supervisor/host_in_force.hpp"
#include "supervisor/log.hpp"
#include "supervisor/spawn.hpp"

namespace mydocker::supervisor {

namespace {

constexpr int leftover_patience_ms = 5000;
constexpr auto clients_return = std::chrono::seconds{5};  // at the latest

double draw() {
    static std::mt19937_64 engine(std::random_device{}());
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace

config::Loaded read_host(const std::string& path, const Overrides& overrides) {
    config::Loaded loaded;
    if (!path.empty()) loaded = config::load_file(path);
    config::Daemon& daemon = loaded.host.daemon;
    if (overrides.data_root) daemon.data_root = *overrides.data_root;
    if (overrides.state_dir) daemon.state_dir = *overrides.state_dir;
    if (overrides.socket) daemon.socket = *overrides.socket;
    if (daemon.socket.empty()) daemon.socket = daemon.state_dir + "/mydockerd.sock";
    return loaded;
}

Supervisor::Supervisor(asio::any_io_executor executor, std::string config_path, Overrides overrides,
                       config::Host host, const std::string& init_program, KeeperLink& keeper)
    : executor_(std::move(executor)),
      config_path_(std::move(config_path)),
      overrides_(std::move(overrides)),
      host_(std::move(host)),
      tree_(host_.daemon.cgroup_parent),
      zygote_(executor_, init_program),
      gate_(host_.daemon.max_concurrent_starts),
      store_(host_.daemon.data_root),
      snapshots_(host_.daemon.state_dir, boot_id()),
      services_{.executor = executor_,
                .settings = host_.daemon,
                .tree = tree_,
                .zygote = zygote_,
                .gate = gate_,
                .journal = journal_,
                .store = store_,
                .snapshots = snapshots_,
                .keeper = keeper,
                .chance = draw,
                .shut_down = [this](const std::string& reason) { shut_down(reason); },
                .rested = [this](Container& container) { on_rest(container); }},
      // Installed beside the init.
      files_(services_,
             std::filesystem::path(init_program).replace_filename("mydocker-files").string()) {}

Supervisor::~Supervisor() = default;

void Supervisor::boot(std::vector<runtime::Held> held) {
    // First: it throws, before anything is touched, where another version's state lies.
    std::vector<std::string> problems;
    std::vector<StoredContainer> stored = store_.load(problems);
    left_ = snapshots_.load(problems);
    held_ = std::move(held);
    const std::size_t known_before = left_.size();
    std::set<std::string> living;
    for (const auto& [id, snapshot] : left_)
        if (snapshot.living) living.insert(id);
    for (const std::string& name : tree_.remove_leftovers(leftover_patience_ms, living))
        log::warn("killed what an earlier mydockerd left running in {}",
                  (tree_.path() / name).string());
    for (const auto& path : store_.rubbish()) remove_tree(executor_, path);
    for (const std::string& problem : problems) {
        log::error("{}", problem);
        warnings_.push_back(problem);
    }
    for (StoredContainer& known : stored) {
        if (known.origin == Origin::file) {
            kept_.emplace(known.name, std::move(known));
            continue;
        }
        auto loaded = config::load_container_json(known.config_json, known.name);
        if (loaded.ok() && !host_.containers.contains(known.name)) {
            add(std::move(known), loaded.container);
            continue;
        }
        warnings_.push_back("container " + known.name + " is not loaded: " +
                            (loaded.ok() ? "the host file has one of this name"
                                         : config::to_string(loaded.problems.front())));
        log::error("{}", warnings_.back());
    }
    for (const auto& [name, config] : host_.containers) add_from_file(config);
    for (const auto& [name, known] : kept_)
        log::info("{} is no longer in the host file; its log and writable layer are kept in {}",
                  name, store_.directory(known.id).string());
    forget_the_rest();
    save_in_force();
    for (const auto& [name, container] : containers_) {
        if (!container->is_new()) continue;
        const config::Autostart autostart = container->config().autostart;
        const bool wanted =
            autostart == config::Autostart::yes ||
            (autostart == config::Autostart::unless_stopped && !container->stored().stopped);
        if (wanted) container->start();
    }
    journal_.add({.type = "daemon",
                  .reason = known_before == 0
                                ? "started with " + std::to_string(containers_.size()) +
                                      " containers"
                                : "took over " + std::to_string(known_before) +
                                      " containers, " + std::to_string(living.size()) +
                                      " of them alive, from the mydockerd before"});
}

Inheritance Supervisor::inherit(const std::string& id) {
    Inheritance from;
    if (const auto it = left_.find(id); it != left_.end()) {
        from.snapshot = std::move(it->second);
        left_.erase(it);
    }
    const auto others = std::ranges::stable_partition(
        held_, [&](const runtime::Held& each) { return container_of(each.key) != id; });
    std::ranges::move(others, std::back_inserter(from.held));
    held_.erase(others.begin(), others.end());
    return from;
}

// What was left of containers that are no more.
void Supervisor::forget_the_rest() {
    for (const auto& [id, snapshot] : std::exchange(left_, {})) snapshots_.forget(id);
    for (const runtime::Held& each : std::exchange(held_, {})) services_.keeper.forget(each.key);
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

// ---- the table of containers

Supervisor::ContainerPtr Supervisor::find(const std::string& reference) const {
    if (const auto it = containers_.find(reference); it != containers_.end()) return it->second;
    ContainerPtr found;
    for (const auto& [name, container] : containers_) {
        if (reference.empty() || !container->id().starts_with(reference)) continue;
        if (found)
            throw Refusal{"conflict",
                          "\"" + reference + "\" begins the id of more than one container"};
        found = container;
    }
    if (!found)
        throw Refusal{"not_found",
                      "no container \"" + reference + "\" (mydocker-ctl ps -a lists them)"};
    return found;
}

void Supervisor::add(StoredContainer stored, const config::Container& config) {
    auto container = std::make_shared<Container>(services_, std::move(stored), config);
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
    const config::Container in_force = amend(stored, config);
    if (stored.amendment != before) store_.save(stored);
    add(std::move(stored), in_force);
}

Supervisor::ContainerPtr Supervisor::create(std::string name, const config::Container& config,
                                            bool auto_remove) {
    if (shutting_down_) throw Refusal{"busy", "mydockerd is shutting down"};
    StoredContainer stored;
    stored.id = new_id();
    stored.name = name.empty() ? "c-" + stored.id.substr(0, 10) : std::move(name);
    stored.origin = Origin::client;
    stored.auto_remove = auto_remove;
    stored.created = std::chrono::system_clock::now();
    if (containers_.contains(stored.name))
        throw Refusal{"conflict", "the name \"" + stored.name + "\" is taken (mydocker-ctl rm " +
                                      stored.name + ", or choose another)"};
    config::Container named = config;
    named.name = stored.name;
    stored.config_json = config::dump_json(named);
    store_.save(stored);
    const std::string key = stored.name;
    add(std::move(stored), named);
    return containers_.at(key);
}

void Supervisor::start(Container& container) {
    if (shutting_down_) throw Refusal{"busy", "mydockerd is shutting down"};
    if (leaving_.contains(container.name()))
        throw Refusal{"conflict", container.name() + " is being removed"};
    if (container.paused() && container.wish() != Wish::down)
        throw Refusal{"conflict", container.name() + " is paused: mydocker-ctl unpause " +
                                      container.name() + " lets it go on"};
    container.start();
}

void Supervisor::remove(const std::string& name, bool force) {
    const ContainerPtr container = find(name);
    if (container->stored().origin == Origin::file)
        throw Refusal{"conflict",
                      container->name() +
                          " belongs to the host file: take it out there, then mydocker-ctl reload"};
    if (container->at_rest()) return erase(container->name());
    if (!force)
        throw Refusal{"conflict", container->name() + " is " +
                                      std::string(shown_state(*container)) +
                                      ": stop it first, or rm --force"};
    leaving_.insert(container->name());
    container->stop(config::Duration{0});
}

void Supervisor::erase(const std::string& name) {
    const auto it = containers_.find(name);
    if (it == containers_.end()) return;
    const ContainerPtr container = it->second;
    snapshots_.forget(container->id());
    try {
        store_.forget(container->id());
    } catch (const std::system_error& error) {
        log::error("{}: {}", name, error.what());
    }
    containers_.erase(it);
    leaving_.erase(name);
    container->discard();
    container->close();
    journal_.add({.type = "state",
                  .container = name,
                  .id = container->id(),
                  .from = std::string(shown_state(*container)),
                  .state = "removed",
                  .reason = "removed"});
    container->changed.ring();
    container->logs().grew.ring();
    changed.ring();
}

void Supervisor::on_rest(Container& container) {
    changed.ring();
    if (leaving_.contains(container.name())) return erase(container.name());
    if (!container.stored().auto_remove || shutting_down_) return;
    // It may have ended while there was no mydockerd: whoever waits for it is on the way back.
    const Time patient_until = began_ + clients_return;
    if (container.is_new() || Clock::now() >= patient_until) return erase(container.name());
    spawn(executor_, "remove " + container.name(),
          erase_at(patient_until, containers_.at(container.name())));
}

asio::awaitable<void> Supervisor::erase_at(Time when, ContainerPtr container) {
    Waker waker(executor_);
    co_await waker.pause(when);
    if (containers_.contains(container->name()) && container->at_rest()) erase(container->name());
}

// ---- reload

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
        host_.containers.erase(name);
        const ContainerPtr container = find(name);
        if (container->at_rest()) return erase(name);
        leaving_.insert(name);
        return container->stop();
    }
    const config::Container& wanted = fresh.containers.at(name);
    if (change.kind == ChangeKind::add) {
        if (containers_.contains(name))
            throw Refusal{"conflict",
                          leaving_.contains(name)
                              ? "the old one of this name is still being removed; reload again"
                              : "a container of this name was made by a client"};
        add_from_file(wanted);
        if (wanted.autostart != config::Autostart::no) containers_.at(name)->start();
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

// ---- the end

void Supervisor::shut_down(const std::string& reason) {
    const bool again = std::exchange(shutting_down_, true);
    log::info("{}{}", reason,
              again ? ": again, so every container is killed now" : ": stopping every container");
    if (!again) journal_.add({.type = "daemon", .reason = "shutting down: " + reason});
    const config::Duration grace =
        again ? config::Duration{0} : services_.settings.shutdown_timeout;
    for (const auto& [name, container] : containers_)
        if (!container->at_rest()) container->stop_for_shutdown(grace);
    changed.ring();
}

void Supervisor::close() {
    // Who starts mydockerd again starts anew: autostart decides.
    for (const auto& [name, container] : containers_)
        if (container->at_rest()) snapshots_.forget(container->id());
    forget_host_in_force(host_.daemon.state_dir);
    for (const auto& [name, container] : containers_) container->close();
    files_.close();
    zygote_.close();
}

bool Supervisor::idle() const {
    return std::ranges::all_of(containers_,
                               [](const auto& entry) { return entry.second->at_rest(); });
}

}  // namespace mydocker::supervisor
