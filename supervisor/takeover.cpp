// See takeover.hpp.
#include "supervisor/takeover.hpp"

#include <malloc.h>
#include <sys/wait.h>

#include <memory>
#include <stdexcept>

#include "supervisor/host_in_force.hpp"
#include "supervisor/ledger.hpp"
#include "supervisor/log.hpp"

namespace mydocker::supervisor {

namespace {

void refuse(const std::string& path, const std::string& why) {
    throw std::runtime_error(path + ": " + why);
}

// The settings that are in force since the mydockerd before us, or else those of the host file.
std::pair<config::Host, bool> settings(const std::string& config_path, const Overrides& overrides,
                                       const Predecessor& before, ReadAhead<config::Host>& known) {
    const std::string state_dir = before.state_dir();
    auto in_force = known.take("", [&] { return version_of_host_in_force(state_dir); });
    if (!in_force) in_force = host_in_force(state_dir, boot_id());
    if (in_force) {
        log::info("goes on with the settings in force in {}", state_dir);
        // Nobody listens on the old socket any more: the new one may be wanted elsewhere.
        const bool moves = !before.listener && overrides.socket;
        if (moves) in_force->daemon.socket = *overrides.socket;
        return {std::move(*in_force), !moves};
    }
    config::Loaded loaded = read_host(config_path, overrides);
    for (const auto& problem : loaded.problems) log::error("{}", config::to_string(problem));
    if (!loaded.ok()) throw std::runtime_error(config_path + " has errors");
    return {std::move(loaded.host), false};
}

// Free memory that the kernel has given already. Of a takeover of 1,000 containers in a virtual
// machine a fifth is page faults, each as expensive as some system calls.
void make_room(std::size_t containers) {
    constexpr std::size_t page = 4096;
    constexpr std::size_t own = 16;        // malloc's, of each piece
    constexpr std::size_t pages_each = 2;  // of a container that lives
    const std::size_t pages = std::min<std::size_t>(containers, 10'000) * pages_each;
    // mallopt(3): what is free at the heap's end goes back to the kernel beyond this only.
    ::mallopt(M_TRIM_THRESHOLD, static_cast<int>((pages + 64) * page));
    std::vector<std::unique_ptr<char[]>> all(pages);
    for (auto& each : all) each = std::make_unique<char[]>(page - own);  // zeroed: there
}

Store read_containers(const std::string& data_root, ReadAhead<Record>& last_records) {
    Store store(data_root);
    Store::Found found = store.look();
    for (const auto& [path, why] : found.broken) refuse(path.string(), why);
    for (const Store::Entry& each : found.containers) {
        const Ledger ledger(store.ledger(each.stored.id));
        const FileVersion version = ledger.version();
        if (auto last = ledger.look_at_last())
            last_records.put(each.stored.id, version, std::move(*last));
        if (each.settings && !each.settings->ok())
            refuse("container " + each.stored.name,
                   config::to_string(each.settings->problems.front()));
    }
    store.keep(std::move(found));
    return store;
}

Snapshots read_snapshots(const std::string& state_dir) {
    Snapshots snapshots(state_dir, boot_id());
    Snapshots::Found found = snapshots.look();
    for (const auto& [file, why] : found.broken) refuse(snapshots.path_of(file), why);
    snapshots.keep(std::move(found));
    return snapshots;
}

}  // namespace

Prepared prepare(const Predecessor& before) {
    const std::string state_dir = before.state_dir();
    const FileVersion version = version_of_host_in_force(state_dir);
    auto host = host_in_force(state_dir, boot_id());
    if (!host) refuse(state_dir, "it holds no settings that this version reads");
    Prepared prepared;
    prepared.store = read_containers(host->daemon.data_root, prepared.last_records);
    prepared.snapshots = read_snapshots(host->daemon.state_dir);
    prepared.host.put("", version, std::move(*host));
    make_room(prepared.store->known());
    return prepared;
}

HostState state_of(const std::string& config_path, const Overrides& overrides,
                   const Predecessor& before, Prepared prepared) {
    auto [host, is_in_force] = settings(config_path, overrides, before, prepared.host);
    const config::Daemon& daemon = host.daemon;
    if (!prepared.store || !prepared.store->is_of(daemon.data_root))
        prepared.store.emplace(daemon.data_root);
    if (!prepared.snapshots || !prepared.snapshots->is_of(daemon.state_dir))
        prepared.snapshots.emplace(daemon.state_dir, boot_id());
    return {std::move(host), is_in_force, std::move(*prepared.store),
            std::move(*prepared.snapshots), std::move(prepared.last_records)};
}

void tell_predecessor(const Predecessor& before) {
    if (before.crashes == 0) return;
    log::error("the mydockerd before this one {} {}; it is number {} in a row to do so",
               WIFSIGNALED(before.status) ? "was killed by signal" : "exited with code",
               WIFSIGNALED(before.status) ? WTERMSIG(before.status) : WEXITSTATUS(before.status),
               before.crashes);
}

void check_takeover(unsigned protocol) {
    if (protocol != keeper::protocol)
        throw std::runtime_error("the keeper that runs speaks protocol " +
                                 std::to_string(protocol) + ", and this version " +
                                 std::to_string(keeper::protocol) +
                                 ": shut mydockerd down and start it anew");
    check_keeper_program();
}

}  // namespace mydocker::supervisor
