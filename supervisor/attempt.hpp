// The ledger's record of one attempt to run a container: what happened and what was decided about
// it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/verdict.hpp"

namespace mydocker::supervisor {

using WallTime = std::chrono::system_clock::time_point;

// A place in a container's log: the file's number and the byte in it.
struct LogPosition {
    std::uint64_t file = 0;
    std::uint64_t offset = 0;
    bool operator==(const LogPosition&) const = default;
};

struct Attempt {
    std::uint64_t number = 0;  // 1 for the first; never used again
    pid_t pid = 0;
    WallTime began{};              // its building
    Time ready{};                  // monotonic: the workload's exec
    Clock::duration paused_for{};  // of that time
    std::optional<WallTime> ready_at;
    std::optional<WallTime> ended_at;
    Observed observed;
    Ending ending;
    std::string error;           // why it could not be started
    int failed_exit_code = 125;  // docker's code for such a failure: 125, 126, 127
    std::uint64_t oom_baseline = 0;
    std::optional<std::uint64_t> memory_peak;  // bytes
    bool judged = false;
    Verdict verdict;
    LogPosition log;

    bool executed() const { return observed.executed; }
    // How long it has run; a pause is not running: reset_after does not count it.
    Clock::duration ran_until(Time now) const { return now - ready - paused_for; }
    bool ended() const { return ended_at.has_value(); }
};

// In one word how it ended: "clean", "operator", or the cause ("exit", "oom", …); "" before that.
std::string_view result_of(const Attempt& attempt);

}  // namespace mydocker::supervisor
