// All containers of this host and what is done to them together: boot, reload, up, down, shutdown.
// It owns everything that Services refers to; the control API and the signals call it from the
// loop.
#pragma once

#include <asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "supervisor/container.hpp"
#include "supervisor/file_access.hpp"
#include "supervisor/reload_plan.hpp"
#include "supervisor/services.hpp"

namespace mydocker::supervisor {

// A request that cannot be done as it stands; `code` as in protocol.hpp.
struct Refusal {
    std::string code;  // "not_found", "conflict", "invalid", "busy", "failed"
    std::string text;
    std::vector<config::Problem> problems = {};
    int exit_code = 0;  // for the client's: 126, 127; 0: its usual one
};

// What the command line says wins over the host file, at every reload too.
struct Overrides {
    std::optional<std::string> socket;
    std::optional<std::string> data_root;
    std::optional<std::string> state_dir;
};

// What a mydockerd begins with.
struct HostState {
    config::Host host;         // of the file, or what was in force before
    bool is_in_force = false;  // and is written down already
    Store store;
    Snapshots snapshots;
    ReadAhead<Record> last_records;  // of ledgers, by id of the container, where they are known
};

// The host file with the overrides put in; an empty one where `path` is "".
config::Loaded read_host(const std::string& path, const Overrides& overrides);

class Supervisor {
public:
    // Throws std::system_error where this machine cannot be prepared.
    Supervisor(asio::any_io_executor executor, std::string config_path, Overrides overrides,
               HostState state, const std::string& init_program, KeeperLink& keeper);
    ~Supervisor();

    // Known containers, those of the file, what still runs of them, autostart. `held`: by the
    // keeper, of attempts and commands inside. `is_first`: of this keeper's mydockerds.
    void boot(std::vector<runtime::Held> held, bool is_first);
    // All that the keeper holds, given to another one.
    void hold_all_in(KeeperLink& keeper);

    using ContainerPtr = std::shared_ptr<Container>;
    // By name, id or unambiguous prefix of an id (at least one character). Throws Refusal.
    ContainerPtr find(const std::string& reference) const;
    const std::map<std::string, ContainerPtr>& containers() const {
        return containers_;
    }  // by name

    // Throws Refusal.
    ContainerPtr create(std::string name, const config::Container& config, bool auto_remove);
    void start(Container& container);  // refused during a shutdown
    void remove(const std::string& name,
                bool force);  // of a living one: stopped at once, then removed

    // New values for some keys, in a JSON object as amendment.hpp reads it: to the kernel now, and
    // kept on disk. Throws Refusal where one is refused, with nothing changed.
    struct Updated {
        Change change;
        std::vector<config::Problem> problems;  // warnings
    };
    Updated update(Container& container, const std::string& patch);
    void rename(Container& container, const std::string& to);  // a client's only

    // Reads the host file again. Throws Refusal with all problems, and nothing has changed.
    std::vector<Change> plan() const;
    std::vector<Change> reload();

    // An upgrade in place: first the program that lies where ours did reads all there is, beside
    // us, and says that it could take over; then we leave, and the keeper lets it. Throws Refusal,
    // and we stay. Who does not leave while it has what prepare_next() returns, has changed its
    // mind.
    using Next = std::shared_ptr<void>;
    asio::awaitable<Next> prepare_next();
    void leave();  // never returns
    void on_leave(std::function<void()> leave) { leave_ = std::move(leave); }

    void shut_down(const std::string& reason);  // again: impatiently
    bool shutting_down() const { return shutting_down_; }
    bool idle() const;  // a shutdown is complete
    void close();       // lets go of the loop; nothing is asked of it afterwards

    const Services& services() const { return services_; }
    Journal& journal() { return journal_; }
    FileAccess& files() { return files_; }
    const std::string& config_path() const { return config_path_; }
    const std::vector<std::string>& warnings() const { return warnings_; }
    WallTime booted_at() const { return booted_at_; }
    Bell changed;  // a container came or went, or came to rest

private:
    std::vector<Store::Entry> sort(std::vector<Store::Entry> stored);
    std::size_t kill_unwanted(const std::vector<Store::Entry>& known);
    void void_what_rests();
    void try_to_add(const config::Container& config);
    void begin(Container& container, bool again);
    void catch_up();
    std::string shutdown_mark() const { return host_.daemon.state_dir + "/shutdown"; }
    void check_may_leave() const;
    asio::awaitable<void> check_program();
    void add(StoredContainer stored, config::Container config);
    Inheritance inherit(const std::string& id);
    void forget_the_rest();
    void save_in_force();
    void add_from_file(const config::Container& config);
    void erase(const std::string& name);  // throws, and it is there still
    void try_to_erase(const std::string& name);
    void on_rest(Container& container);
    asio::awaitable<void> erase_at(Time when, ContainerPtr container);
    config::Host fresh_host() const;
    std::vector<Change> plan(const config::Host& fresh) const;
    config::Container amend(StoredContainer& stored, const config::Container& file) const;
    void keep(Container& container, StoredContainer stored);
    void tell_amendments(std::vector<Change>& changes, const config::Host& fresh) const;
    void apply(Change& change, const config::Host& fresh);
    void apply_daemon(const config::Daemon& fresh);

    asio::any_io_executor executor_;
    std::string config_path_;
    Overrides overrides_;
    config::Host host_;  // the file as it is in force
    bool is_in_force_;   // and it is written down
    runtime::CgroupTree tree_;
    // Two mydockerds with one of these would kill each other's containers, or run them twice.
    runtime::UniqueFd tree_lock_;
    ZygoteLink zygote_;
    StartGate gate_;
    Journal journal_;
    Store store_;
    runtime::UniqueFd data_lock_;  // the same
    Snapshots snapshots_;
    Services services_;
    FileAccess files_;
    std::map<std::string, ContainerPtr> containers_;
    std::vector<std::string> warnings_;
    // Of an earlier mydockerd, until their containers are made.
    std::map<std::string, Snapshot> left_;
    ReadAhead<Record> last_records_;
    std::multimap<std::string, runtime::Held> held_;
    std::map<std::string, StoredContainer> kept_;  // of the file once, not in it now; by name
    std::function<void()> leave_;
    std::weak_ptr<void> next_;
    bool shutting_down_ = false;
    bool resumed_ = false;  // a shutdown of the mydockerd before
    Time began_ = Clock::now();
    WallTime booted_at_ = std::chrono::system_clock::now();
};

}  // namespace mydocker::supervisor
