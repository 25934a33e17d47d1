// The judgement at an attempt's end: another one or not, when, and why, as a value. A pure function
// of its arguments; time and chance are arguments too, so a test plays years in a moment.
//
// The order of judgement:
//   the operator's wish   down: rests, and has not failed; bounce: again at once
//   prevent_on            rests, whatever the policy
//   force_on              again, whatever the policy, but within the window
//   success               a clean end: again for always, unless-stopped and on-success only
//   policy and `on`       a bad end: `no` and on-success never; on-failure any cause; on-abnormal a
//                         signal, oom or start-timeout; of these, only the causes `on` lists
//   window                `attempts` restarts in a row, or within `interval`; then `on_limit`
//   delay                 grows with each restart in a row
// What follows (dependents, the start gate) is not here.
//
// A start that fails is a cause like any other. Death by SIGTERM or SIGINT is a clean end only if
// the operator asked for it. An attempt that was ready for reset_after makes the restarts in a row
// and the delay start over, before the window is judged; a sliding window forgets by time only.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "config/host.hpp"

namespace mydocker::supervisor {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

// How an attempt ended. `cause` is empty for a clean end (a code of success_exit_codes).
struct Ending {
    // never_ran: the workload's exec did not happen, however its init ended. Only the workload's
    // own code or signal is held against prevent_on and force_on.
    // unknown: it ran and has ended, and nobody saw how.
    enum class Kind : std::uint8_t { code, signal, never_ran, unknown };
    Kind kind = Kind::never_ran;
    int number = 0;                      // the exit code or the signal
    std::optional<config::Cause> cause;  // from classify()
    std::string error;                   // never_ran: the step that failed, for people
    Time ended{};
    config::Duration ready_for{0};  // how long the workload ran after its exec
    bool operator==(const Ending&) const = default;
};

// What the kernel told, before anybody judged.
struct Observed {
    bool executed = false;  // the workload's exec succeeded
    bool start_timed_out = false;
    std::optional<int> exit_code;  // one of these two, unless no init was ever made
    std::optional<int> signal;     // or nobody saw its end
    std::uint64_t oom_kills = 0;   // memory.events, against the attempt's baseline
    bool oom_stopped = false;      // oom_policy = "stop" ended it
};

// oom before all others: an attempt that ended badly and lost a process to the OOM killer is an
// oom, before its exec too; so is one that oom_policy stopped, even if it then exited with 0. Where
// the exec did not happen it is start_timeout or start_error. An end that nobody saw is not clean.
std::optional<config::Cause> classify(const Observed& observed, const config::Restart& policy);

enum class Wish : std::uint8_t {
    up,     // it should run: ask the policy
    down,   // the operator or a shutdown stopped it
    bounce  // the operator asked for a restart: go again at once, whatever the policy
};

enum class Rule : std::uint8_t {
    operator_stop,
    operator_restart,
    prevent_on,
    force_on,
    success,
    policy,
    window,
    interrupted  // mydockerd ended before it could release the attempt: not its fault, so again
};

struct Verdict {
    bool restart = false;
    config::Duration delay{0};
    Rule rule = Rule::policy;
    bool failed = false;     // at rest and not as it should be: the state says `failed`
    bool shut_down = false;  // on_limit = "shutdown": mydockerd is to end; `failed` is set too
    std::string reason;      // "exited with code 3; restart 2 in 400ms (on-failure)"
    bool operator==(const Verdict&) const = default;
};

// What the policy remembers between attempts. A manual start begins a new one.
struct History {
    unsigned consecutive = 0;   // restarts granted since the last reset
    std::deque<Time> restarts;  // restarts within `interval`, at most `attempts` of them
    bool operator==(const History&) const = default;
};

struct Judged {
    Verdict verdict;
    History history;
};

// `chance` is uniform in [0, 1): the jitter.
// on_limit = delay waits until the oldest restart leaves the window, and never less than the delay
// would be anyway; with interval = 0 there is no window to wait out, and it waits max_delay.
Judged judge(const config::Restart& policy, const Ending& ending, const History& history, Wish wish,
             double chance);

// Of an attempt that mydockerd could not release before its own end: again, and it counts for
// nothing. `left`: of the back-off in which it was made ahead of time.
Judged interrupted(const History& history, Clock::duration left);

// delay * multiplier^consecutive, capped at max_delay, then jittered (and never above max_delay).
config::Duration backoff(const config::Restart& policy, unsigned consecutive, double chance);

std::string_view name(Wish wish);              // "up", "down", "bounce"
std::string_view name(Ending::Kind kind);      // "code", "signal", "never-ran"
std::string_view name(Rule rule);              // "operator-stop", "policy", "window"
std::string_view name(config::Cause cause);    // as in `on`: "start-error"
std::string_view name(config::Policy policy);  // as in the file: "unless-stopped"

// "exited with code 3", "killed by SIGSEGV", "ran out of memory (killed by SIGKILL)",
// "could not start: mount /proc: Invalid argument"
std::string describe(const Ending& ending);
// "on-failure, 100ms x2 up to 1m, 5 in 10m, then fail"
std::string describe(const config::Restart& policy);

}  // namespace mydocker::supervisor
