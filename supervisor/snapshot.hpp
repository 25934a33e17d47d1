// What a successor of this mydockerd must know of one container and cannot ask the kernel: wishes,
// counts, and the identity of what lives. JSON with a version; void after a reboot.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/attempt.hpp"
#include "supervisor/foreign_version.hpp"

namespace mydocker::supervisor {

struct LivingExec {  // a command inside that had begun
    std::uint32_t number = 0;
    std::vector<std::string> command;
    std::string user;
    bool terminal = false;
    bool detached = false;
};

struct LivingAttempt {             // begun, and no end of it on record
    Attempt attempt;               // as far as it was known
    bool released = false;         // its init may have run something
    std::uint64_t start_time = 0;  // of pid, clock ticks since boot: field 22 of /proc/PID/stat
    std::array<std::uint64_t, 2> pipes = {0, 0};  // inodes of its stdout and stderr pipes
    std::vector<LivingExec> execs;
};

struct Snapshot {
    std::string id;  // the container's
    Wish wish = Wish::down;
    bool failed = false;
    std::string reason;
    std::uint64_t attempts = 0;  // the last attempt's number
    std::uint64_t restarts = 0;
    History history;
    std::optional<Time> next_start;  // of a back-off: monotonic, valid within one boot
    std::optional<LivingAttempt> living;
};

inline constexpr int snapshot_version = 1;

std::string encode(const Snapshot& snapshot, const std::string& boot_id);
// nullopt: of another boot, and void. Throws ForeignVersion, or another std::exception that says
// what is wrong with it.
std::optional<Snapshot> decode_snapshot(std::string_view text, std::string_view boot_id);

}  // namespace mydocker::supervisor
