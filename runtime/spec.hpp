// What one container is made of: the runtime's one input, shaped like the OCI runtime spec so that
// an OCI front end could fill it as well. All values are resolved: numbers for users, absolute
// paths, bytes and microseconds. It says nothing of policy, logging or names that people type.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mydocker::runtime {

// linux.resources: what is written into the cgroup before the init exists. cgroup-v2 terms.
struct Limits {
    std::optional<std::uint64_t> memory_max;    // bytes
    std::optional<std::uint64_t> memory_high;   // bytes
    std::optional<std::uint64_t> swap_max;      // bytes of swap alone; UINT64_MAX: max
    bool oom_group = false;                     // memory.oom.group
    std::optional<std::uint64_t> cpu_quota_us;  // per cpu_period_us
    std::uint64_t cpu_period_us = 100'000;
    std::optional<unsigned> cpu_weight;  // 1-10000
    std::string cpuset_cpus;             // "0-1"; empty: all of the parent's
    std::optional<std::uint64_t> pids_max;
    bool operator==(const Limits&) const = default;
};

struct Rlimit {
    int resource;  // RLIMIT_*, getrlimit(2)
    std::uint64_t soft;
    std::uint64_t hard;
    bool operator==(const Rlimit&) const = default;
};

// user: "" (root), "NAME", "UID", each with an optional ":GROUP"; names are looked up in the
// container's own /etc/passwd and /etc/group.
struct Process {
    std::vector<std::string> args;  // args[0] without a slash is looked up in PATH of `env`
    std::vector<std::string> env;   // "K=V"
    std::string cwd = "/";
    std::string user;
    // Bit n: capability n of capability(7). Root has `capabilities` and no process can gain more;
    // another user has only those of `ambient` (as podman does it: what was asked for by name).
    std::uint64_t capabilities = 0;
    std::uint64_t ambient = 0;
    std::vector<Rlimit> rlimits;
    int oom_score_adj = 0;
    bool no_new_privileges = true;
    bool reaper = false;  // our own pid 1 between the kernel and the workload
};

// Exactly one of: `path` alone (used as it is), or `path` as the read-only lower layer of an
// overlay whose writable layer stands in `upper`, with `work` beside it on the same file system.
struct Root {
    std::string path = "/";
    std::string upper;
    std::string work;
    bool read_only = false;
};

struct Mount {
    enum class Kind : std::uint8_t { bind, tmpfs };
    Kind kind = Kind::bind;
    std::string source;  // bind: on the host
    std::string target;  // in the container
    bool read_only = false;
    std::uint64_t size = 0;  // tmpfs: bytes; 0: the kernel's default
    unsigned mode = 01777;   // tmpfs
};

struct Spec {
    Process process;
    Root root;
    std::string hostname;
    std::vector<Mount> mounts;
    bool own_network = true;  // a network namespace with only loopback; false: the host's
    bool terminal = false;    // stdin, stdout and stderr are a terminal, which is /dev/console
    bool open_stdin = false;  // a pipe; else /dev/null
    bool privileged = false;  // no masked or read-only paths, writable /sys
    std::uint64_t shm_size = 64ULL << 20;
    Limits limits;
};

}  // namespace mydocker::runtime
