// What a successor of this mydockerd must know of one container and cannot ask the kernel: wishes,
// counts, and the identity of what lives. JSON with a version; void after a reboot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "supervisor/attempt.hpp"
#include "supervisor/foreign_version.hpp"
#include "supervisor/stored_attempt.hpp"

namespace mydocker::supervisor {

struct LivingExec {  // a command inside that had begun
    std::uint32_t number = 0;
    std::vector<std::string> command;
    std::string user;
    bool terminal = false;
    bool detached = false;
    bool operator==(const LivingExec&) const = default;
};

struct LivingAttempt {  // begun, and no end of it on record
    Attempt attempt;    // as far as it was known
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
    std::optional<Time> stop_by;     // of a stop in progress: SIGKILL follows; monotonic
    // It was to be paused, or may have been: its cgroup tells. Without it, it is not frozen.
    bool may_be_frozen = false;
    std::string leaving;             // its settings as JSON, where it is removed once it rests
    std::vector<Record> unrecorded;  // ends that could not be written into the ledger yet
    std::optional<LivingAttempt> living;
};

inline constexpr int snapshot_version = 1;

std::string encode(const Snapshot& snapshot, const std::string& boot_id);
// nullopt: of another boot, and void. Throws ForeignVersion, or another std::exception that says
// what is wrong with it.
std::optional<Snapshot> decode_snapshot(std::string_view text, std::string_view boot_id);

}  // namespace mydocker::supervisor
