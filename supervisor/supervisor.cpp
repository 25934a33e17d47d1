// See supervisor.hpp.
#include "supervisor/supervisor.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "config/scalar.hpp"
#include "supervisor/hook.hpp"
#include "supervisor/host_in_force.hpp"
#include "supervisor/log.hpp"
#include "supervisor/service_manager.hpp"
#include "supervisor/spawn.hpp"
#include "supervisor/state_file.hpp"

namespace mydocker::supervisor {

namespace {

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
                       HostState state, const std::string& init_program, KeeperLink& keeper)
    : executor_(std::move(executor)),
      config_path_(std::move(config_path)),
      overrides_(std::move(overrides)),
      host_(std::move(state.host)),
      is_in_force_(state.is_in_force),
      tree_(host_.daemon.cgroup_parent),
      tree_lock_(lock_directory(tree_.path(), "has its containers in",
                                "give this one another cgroup_parent")),
      zygote_(executor_, init_program),
      gate_(host_.daemon.max_concurrent_starts),
      store_(std::move(state.store)),
      data_lock_(lock_directory(host_.daemon.data_root, "keeps its containers in",
                                "give this one another --data-root")),
      snapshots_(std::move(state.snapshots)),
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
             std::filesystem::path(init_program).replace_filename("mydocker-files").string()),
      last_records_(std::move(state.last_records)) {}

Supervisor::~Supervisor() = default;

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
    try {
        store_.save(stored);
    } catch (...) {  // it may be in force, though nobody is told so
        remove_tree(executor_, store_.directory(stored.id));
        throw;
    }
    const std::string key = stored.name;
    add(std::move(stored), std::move(named));
    containers_.at(key)->note();
    return containers_.at(key);
}

void Supervisor::start(Container& container) {
    if (shutting_down_) throw Refusal{"busy", "mydockerd is shutting down"};
    if (container.leaving()) throw Refusal{"conflict", container.name() + " is being removed"};
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
    container->leave(config::Duration{0});
}

void Supervisor::erase(const std::string& name) {
    const auto it = containers_.find(name);
    if (it == containers_.end()) return;
    const ContainerPtr container = it->second;
    store_.forget(container->id());  // first: without it, nothing brings the container back
    snapshots_.forget(container->id());
    containers_.erase(it);
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

void Supervisor::try_to_erase(const std::string& name) {
    try {
        erase(name);
    } catch (const std::system_error& error) {
        log::error("{} is not removed: {}", name, error.what());
    }
}

void Supervisor::on_rest(Container& container) {
    changed.ring();
    if (container.leaving()) return try_to_erase(container.name());
    if (!container.stored().auto_remove || shutting_down_) return;
    // It may have ended while there was no mydockerd: whoever waits for it is on the way back.
    const Time patient_until = began_ + clients_return;
    if (container.is_new() || Clock::now() >= patient_until) return try_to_erase(container.name());
    spawn(executor_, "remove " + container.name(),
          erase_at(patient_until, containers_.at(container.name())));
}

asio::awaitable<void> Supervisor::erase_at(Time when, ContainerPtr container) {
    Waker waker(executor_);
    co_await waker.pause(when);
    const auto it = containers_.find(container->name());
    if (it != containers_.end() && it->second == container && container->at_rest())
        try_to_erase(container->name());
}

// ---- the end

void Supervisor::shut_down(const std::string& reason) {
    // One that goes on from an earlier mydockerd's may be asked for once more by the keeper.
    const bool again = std::exchange(shutting_down_, true) && !std::exchange(resumed_, false);
    log::info("{}{}", reason,
              again ? ": again, so every container is killed now" : ": stopping every container");
    if (!again) journal_.add({.type = "daemon", .reason = "shutting down: " + reason});
    try {  // it goes on whoever dies meanwhile
        save_of_boot(shutdown_mark(), snapshots_.boot(), reason);
    } catch (const std::system_error& error) {
        log::error("{}", error.what());
    }
    const config::Duration grace =
        again ? config::Duration{0} : services_.settings.shutdown_timeout;
    for (const auto& [name, container] : containers_)
        if (!container->at_rest()) container->stop_for_shutdown(grace);
    changed.ring();
}

void Supervisor::close() {
    // Who starts mydockerd again starts anew: autostart decides.
    for (const auto& [name, container] : containers_) {
        if (!container->at_rest()) continue;
        try {
            snapshots_.forget(container->id());
        } catch (const std::system_error& error) {
            log::error("{}: {}", name, error.what());
        }
    }
    forget_host_in_force(host_.daemon.state_dir);
    ::unlink(shutdown_mark().c_str());
    for (const auto& [name, container] : containers_) container->close();
    files_.close();
    zygote_.close();
}

bool Supervisor::idle() const {
    return std::ranges::all_of(containers_,
                               [](const auto& entry) { return entry.second->at_rest(); });
}

}  // namespace mydocker::supervisor
