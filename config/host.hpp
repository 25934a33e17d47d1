// What a host file says, as plain values: the daemon's settings and one Container for each
// [container.NAME] table. These structs know nothing of TOML, Linux or time's passing; load.hpp
// fills them, supervisor/translate.hpp turns a Container into what the runtime understands.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mydocker::config {

using Duration = std::chrono::microseconds;
using Bytes = std::uint64_t;

// Why an attempt ended, as far as a policy can name it (`on = [...]`). A clean end is no cause.
enum class Cause : std::uint8_t { exit, signal, oom, start_error, start_timeout };

enum class Policy : std::uint8_t {
    no,
    always,
    unless_stopped,
    on_failure,
    on_success,
    on_abnormal
};

// What to do when `attempts` within `interval` are used up.
enum class OnLimit : std::uint8_t { fail, delay, shutdown };

// One entry of prevent_on / force_on: an exit code (0-255) or a signal number.
struct Status {
    enum class Kind : std::uint8_t { code, signal };
    Kind kind = Kind::code;
    int number = 0;
    bool operator==(const Status&) const = default;
};

struct Restart {
    Policy policy = Policy::no;
    std::vector<Cause> on;  // empty: every cause the policy covers; else only these
    Duration delay = std::chrono::milliseconds{100};
    double multiplier = 2.0;
    Duration max_delay = std::chrono::minutes{1};
    double jitter = 0.1;  // 0-1: a random share of the delay, added or taken away
    Duration reset_after = std::chrono::seconds{10};
    unsigned attempts = 0;  // restarts allowed; 0: unlimited
    Duration interval{0};   // 0: `attempts` counts consecutive failures; else a sliding window
    OnLimit on_limit = OnLimit::fail;
    std::vector<int> success_exit_codes = {0};
    std::vector<Status> prevent_on;
    std::vector<Status> force_on;
    std::vector<std::string> on_failure;  // argv run on the host when the container has failed
    bool prearm = false;
    bool operator==(const Restart&) const = default;
};

// The kernel's view of limits stands in runtime/spec.hpp; these are the user's words, parsed.
struct Limits {
    std::optional<Bytes> mem_limit;
    std::optional<Bytes> mem_high;
    std::optional<std::int64_t> memswap_limit;  // memory + swap, Docker's meaning; -1: unlimited
    std::optional<double> cpus;
    std::optional<std::uint64_t> cpu_shares;  // Docker's 2-262144
    std::string cpuset;                       // kernel list format, "0-1,3"; empty: all
    std::optional<std::int64_t> pids_limit;   // -1: unlimited
    bool operator==(const Limits&) const = default;
};

enum class OomPolicy : std::uint8_t {
    keep_going,  // "continue": the kernel kills one process, the container goes on
    stop,        // one process killed: the container is stopped and the attempt's cause is oom
    kill         // memory.oom.group: the kernel kills the whole container
};
enum class Network : std::uint8_t { none, host };
enum class Autostart : std::uint8_t { yes, no, unless_stopped };

// "SOURCE:TARGET[:ro]", both absolute.
struct Volume {
    std::string source;
    std::string target;
    bool read_only = false;
    bool operator==(const Volume&) const = default;
};

// "TARGET[:size=64m,mode=1777]".
struct Tmpfs {
    std::string target;
    std::optional<Bytes> size;
    unsigned mode = 01777;
    bool operator==(const Tmpfs&) const = default;
};

// `ulimits = { nofile = "1024:2048" }`; the name is Docker's, nothing of Linux is resolved here.
struct Ulimit {
    std::string name;
    std::uint64_t soft = 0;  // UINT64_MAX: unlimited
    std::uint64_t hard = 0;
    bool operator==(const Ulimit&) const = default;
};

struct Logging {
    Bytes max_size = 10ULL << 20;
    unsigned max_files = 3;
    bool operator==(const Logging&) const = default;
};

struct Container {
    std::string name;
    std::string rootfs;  // empty: the host's root, copy-on-write
    std::vector<std::string> command;
    std::map<std::string, std::string> environment;  // env_file's lines below `environment`'s
    std::string working_dir = "/";
    std::string user;      // "", "NAME", "UID", each with an optional ":GROUP"
    std::string hostname;  // empty: the container's name
    std::vector<Volume> volumes;
    std::vector<Tmpfs> tmpfs;
    bool read_only = false;
    Network network = Network::none;
    std::vector<std::string> cap_add;  // "NET_ADMIN" or "ALL", without CAP_
    std::vector<std::string> cap_drop;
    bool privileged = false;
    bool init = false;        // a tiny pid 1 that forwards signals and reaps
    bool tty = false;         // a terminal of its own, instead of pipes
    bool stdin_open = false;  // stdin waits for clients that attach; else it is empty
    std::vector<Ulimit> ulimits;
    int oom_score_adj = 0;
    Bytes shm_size = 64ULL << 20;
    Limits limits;
    OomPolicy oom_policy = OomPolicy::keep_going;
    int stop_signal = 15;
    Duration stop_grace_period = std::chrono::seconds{10};
    Duration start_timeout = std::chrono::seconds{30};  // from release to the workload's exec
    Autostart autostart = Autostart::yes;
    Restart restart;
    Logging logging;
    bool operator==(const Container&) const = default;
};

enum class LimitsMode : std::uint8_t { required, best_effort };

struct Daemon {
    std::string socket;  // empty: <state_dir>/mydockerd.sock
    std::string data_root = "/var/lib/mydocker";
    std::string state_dir = "/run/mydocker";
    std::string cgroup_parent;  // empty: the delegated subtree the daemon finds itself in
    LimitsMode limits = LimitsMode::required;
    unsigned max_concurrent_starts = 8;
    Duration shutdown_timeout = std::chrono::seconds{30};
    bool operator==(const Daemon&) const = default;
};

struct Host {
    Daemon daemon;
    std::map<std::string, Container> containers;  // by name
};

}  // namespace mydocker::config
