// What the tests of stored state share: attempts with every field filled, and with none.
#pragma once

#include <chrono>
#include <string>

#include "supervisor/stored_attempt.hpp"

namespace mydocker::tests {

using namespace std::chrono_literals;
using supervisor::Attempt;
using supervisor::Time;
using supervisor::WallTime;

inline WallTime wall(std::int64_t nanoseconds) {
    return WallTime(std::chrono::nanoseconds(nanoseconds));
}

// Every field differs from its default, and from its neighbours.
inline Attempt full_attempt(std::uint64_t number) {
    Attempt attempt;
    attempt.number = number;
    attempt.pid = 4'194'303;
    attempt.began = wall(1'769'860'800'123'456'789);
    attempt.ready = Time(3h + 1ns);
    attempt.paused_for = 5s + 7ns;
    attempt.ready_at = wall(1'769'860'801'000'000'001);
    attempt.ended_at = wall(1'769'860'802'000'000'002);
    attempt.observed = {.executed = true,
                        .start_timed_out = true,
                        .exit_code = 3,
                        .signal = 9,
                        .oom_kills = UINT64_MAX,
                        .oom_stopped = true};
    attempt.ending = {supervisor::Ending::Kind::signal,
                      9,
                      config::Cause::oom,
                      "mount /proc: \"ä\n\"",
                      Time(4h + 3ns),
                      17us};
    attempt.error = "execute /bin/x: No such file or directory";
    attempt.failed_exit_code = 127;
    attempt.oom_baseline = 11;
    attempt.memory_peak = 12;
    attempt.judged = true;
    attempt.verdict = {true, 400ms, supervisor::Rule::window, true, true, "given up"};
    attempt.log = {13, 14};
    return attempt;
}

// Judged, and otherwise as it was born: a stop before anything was done.
inline Attempt empty_attempt(std::uint64_t number) {
    Attempt attempt;
    attempt.number = number;
    attempt.ended_at = wall(0);
    attempt.judged = true;
    return attempt;
}

inline bool same(const supervisor::Observed& a, const supervisor::Observed& b) {
    return a.executed == b.executed && a.start_timed_out == b.start_timed_out &&
           a.exit_code == b.exit_code && a.signal == b.signal && a.oom_kills == b.oom_kills &&
           a.oom_stopped == b.oom_stopped;
}

inline bool same(const Attempt& a, const Attempt& b) {
    return a.number == b.number && a.pid == b.pid && a.began == b.began && a.ready == b.ready &&
           a.paused_for == b.paused_for && a.ready_at == b.ready_at && a.ended_at == b.ended_at &&
           same(a.observed, b.observed) && a.ending == b.ending && a.error == b.error &&
           a.failed_exit_code == b.failed_exit_code && a.oom_baseline == b.oom_baseline &&
           a.memory_peak == b.memory_peak && a.judged == b.judged && a.verdict == b.verdict &&
           a.log == b.log;
}

}  // namespace mydocker::tests
