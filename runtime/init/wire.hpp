// What mydockerd and the init say to each other. Both sides include this header; it uses nothing of
// the C++ library, since the init has none.
//
//   mydockerd                       zygote                          init (blocked)
//      │ ── CloneRequest + fds ──────→│                                 │
//      │                              │ ── clone3(INTO_CGROUP|PARENT) ─→│
//      │ ←─ CloneReply + pidfd ───────│                                 │ reads the plan pipe
//      │ ── PlanHeader, steps … EOF ───────────────────────────────────→│ released
//      │                                                                │ does each step
//      │ ←─ StepFailure, or `executing` and EOF by execve ──────────────│
//
// The init ends without having done anything if the plan pipe ends before a whole plan.
#pragma once

#include <stdint.h>

namespace mydocker::wire {

inline constexpr uint32_t magic = 0x6d79646b;  // "mydk"
inline constexpr uint32_t max_plan_bytes = 32U << 20;
inline constexpr uint32_t max_mount_fds = 200;  // SCM_MAX_FD is 253

// The order of the descriptors that come with a CloneRequest. The extra ones are the mounts, or the
// pidfd of the init whose container is joined.
enum FdIndex : uint32_t {
    fd_cgroup,
    fd_plan,
    fd_report,
    fd_stdin,
    fd_stdout,
    fd_stderr,
    fd_first_extra
};

struct CloneRequest {
    uint32_t magic;
    uint32_t extra_fds;    // how many descriptors follow fd_stderr
    uint64_t id;           // comes back in the reply
    uint64_t clone_flags;  // CLONE_NEW*
    uint32_t joins;        // 1: into the pid namespace of the one extra descriptor, a pidfd
    uint32_t unused;
};

struct CloneReply {
    uint32_t magic;
    int32_t pid;    // as mydockerd sees it; 0 on failure
    int32_t error;  // errno of clone3
    uint32_t unused;
    uint64_t id;
};

struct PlanHeader {
    uint32_t magic;
    uint32_t steps;
    uint64_t bytes;  // of everything, this header too
};

// Each step: this, then `texts` strings that end with NUL, padded to 8 bytes in all.
enum class Op : uint32_t {
    set_hostname,    // text: name
    loopback_up,     // lo, in a network namespace of our own
    join,            // a: CLONE_NEW*: the namespaces of the init whose pidfd came along
    private_mounts,  // nothing mounted from here on is seen outside
    attach_root,     // a: mount descriptor -> the new root, not yet entered
    enter_root,      // pivot_root, and the old root is unmounted
    mount,    // texts: target, type, "key=value" or "flag" …; a: MOUNT_ATTR_*; b: mode of a made
              // target; c: 1 where the target may lead through symlinks
    attach,   // text: target; a: mount descriptor; b: 1 for a directory, 0 for a file
    device,   // text: path; a: mode; b: major; c: minor
    symlink,  // texts: content, path
    console,  // /dev/pts/0 is /dev/console as well
    mask,     // text: path -> unreadable and empty, where it exists
    read_only,      // text: path -> read-only, where it exists
    seal_root,      // the root itself becomes read-only
    oom_score_adj,  // a: the value, as two's complement
    rlimit,         // a: resource, b: soft, c: hard
    work_dir,       // text: path; entered now; a: 1 to make it where it is missing
    bounding,       // a: the capabilities (bit n: capability n) that may ever be gained
    groups,         // texts: the supplementary gids in decimal
    user,           // a: uid, b: gid; keeps capabilities for the next step
    capabilities,   // a: effective and permitted; b: ambient and inheritable
    no_new_privs,
    reaper,       // fork: this process stays as pid 1, the child goes on
    terminal,     // stdin becomes the controlling terminal
    arguments,    // texts: argv
    environment,  // texts: envp
    execute       // texts: candidate paths, tried in turn
};

struct StepHeader {
    Op op;
    uint32_t texts;
    uint64_t a;
    uint64_t b;
    uint64_t c;
    uint32_t bytes;  // of the texts, with their NULs and padding
    uint32_t unused;
};

// The report pipe's first byte, just before execve(2). The pipe's end after it alone means that the
// workload runs; its end without any word, that the init was killed before.
inline constexpr char executing = 'x';
// Sent on the report pipe when a step fails; the init then exits with status 127.
inline constexpr uint32_t no_whole_plan = UINT32_MAX;  // it ended too early: nothing was done
struct StepFailure {
    uint32_t step;  // index in the plan, or no_whole_plan
    int32_t error;
};

}  // namespace mydocker::wire
