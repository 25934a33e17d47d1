// What the tests of judgement share: endings and policies in a few words.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "supervisor/verdict.hpp"

namespace mydocker::judging {

using namespace mydocker::supervisor;
using namespace std::chrono_literals;
using config::Cause;
using config::Duration;
using config::OnLimit;
using config::Policy;
using config::Restart;
using config::Status;

using Kind = Ending::Kind;
inline constexpr double middle = 0.5;  // the chance that adds no jitter

inline Ending exited(int code, Time when = Time{1h}) {
    return {Kind::code, code, code == 0 ? std::nullopt : std::optional{Cause::exit}, "", when, 1s};
}
inline Ending killed(int signal, Time when = Time{1h}) {
    return {Kind::signal, signal, Cause::signal, "", when, 1s};
}
inline Ending out_of_memory() { return {Kind::signal, 9, Cause::oom, "", Time{1h}, 1s}; }
inline Ending start_error() {
    return {Kind::never_ran, 0, Cause::start_error, "execute /bin/x: No such file or directory",
            Time{1h},        0s};
}
inline Ending start_timeout() {
    return {Kind::never_ran, 0, Cause::start_timeout, "", Time{1h}, 0s};
}

inline Restart policy(Policy which) {
    Restart restart;
    restart.policy = which;
    return restart;
}
inline Restart policy(Policy which, unsigned attempts, Duration interval = 0s,
                      OnLimit on_limit = OnLimit::fail) {
    Restart restart = policy(which);
    restart.attempts = attempts;
    restart.interval = interval;
    restart.on_limit = on_limit;
    return restart;
}

inline Verdict verdict(const Restart& restart, const Ending& ending, const History& history = {}) {
    return judge(restart, ending, history, Wish::up, middle).verdict;
}

// "restart policy", "exited success", "failed policy"
inline std::string compact(const Verdict& verdict) {
    const char* what = verdict.restart ? "restart" : verdict.failed ? "failed" : "exited";
    return std::string{what} + " " + std::string{name(verdict.rule)};
}

}  // namespace mydocker::judging
