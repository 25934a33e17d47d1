// The rules of judgement in their order, the back-off's arithmetic, and the sentences that say what
// was decided with its figures. No clock and no randomness of its own.
#include "supervisor/verdict.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "config/scalar.hpp"

namespace mydocker::supervisor {

using config::Cause;
using config::Duration;
using config::OnLimit;
using config::Policy;
using config::Restart;

namespace {

template <class T>
bool contains(const std::vector<T>& list, const T& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

bool lists(const std::vector<config::Status>& list, const Ending& ending) {
    if (ending.kind == Ending::Kind::never_ran || ending.kind == Ending::Kind::unknown)
        return false;
    const auto kind = ending.kind == Ending::Kind::code ? config::Status::Kind::code
                                                        : config::Status::Kind::signal;
    return contains(list, {kind, ending.number});
}

// "1m3s" for 63.217483 s: a jittered delay to the figures that people read.
std::string rounded(Duration duration) {
    using namespace std::chrono;
    if (duration >= minutes{1}) return config::format_duration(round<seconds>(duration));
    if (duration >= milliseconds{1}) return config::format_duration(round<milliseconds>(duration));
    return config::format_duration(duration);
}

std::string ordinal(std::uint64_t number) {
    const bool teen = number % 100 >= 11 && number % 100 <= 13;
    const auto last = teen ? 0 : number % 10;
    return std::to_string(number) + (last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
}

// Whether the rules before the window allow another attempt, and the words in brackets for it.
struct Permission {
    bool restart;
    Rule rule;
    std::string why;
};

Permission permission(const Restart& policy, const Ending& ending) {
    const std::string policy_name{name(policy.policy)};
    if (lists(policy.prevent_on, ending)) return {false, Rule::prevent_on, "prevent_on lists it"};
    if (lists(policy.force_on, ending)) return {true, Rule::force_on, "force_on lists it"};
    if (!ending.cause) {
        const bool again = policy.policy == Policy::always ||
                           policy.policy == Policy::unless_stopped ||
                           policy.policy == Policy::on_success;
        if (again) return {true, Rule::policy, policy_name};
        return {false, Rule::success, "a success; policy " + policy_name};
    }
    const Cause cause = *ending.cause;
    const bool covered = [&] {
        switch (policy.policy) {
            case Policy::no:
            case Policy::on_success: return false;
            case Policy::always:
            case Policy::unless_stopped:
            case Policy::on_failure: return true;
            case Policy::on_abnormal:
                return cause == Cause::signal || cause == Cause::oom ||
                       cause == Cause::start_timeout;
        }
        return false;
    }();
    if (!covered) return {false, Rule::policy, "policy " + policy_name};
    if (!policy.on.empty() && !contains(policy.on, cause))
        return {false, Rule::policy, "`on` does not list " + std::string{name(cause)}};
    return {true, Rule::policy, policy_name};
}

// How long ago that was. Compared in microseconds: an `interval` of centuries has no nanoseconds.
Duration age(Time then, Time now) {
    return std::max(std::chrono::duration_cast<Duration>(now - then), Duration::zero());
}

// The history as it stands when this ending is judged: without what reset_after or time have ended.
History still_counting(const Restart& policy, const Ending& ending, History history) {
    const bool good_run =
        ending.kind != Ending::Kind::never_ran && ending.ready_for >= policy.reset_after;
    if (good_run) history.consecutive = 0;
    auto& restarts = history.restarts;
    if (policy.interval == Duration::zero()) restarts.clear();
    // A reload may have made `attempts` smaller since these were granted.
    while (!restarts.empty() && (restarts.size() > policy.attempts ||
                                 age(restarts.front(), ending.ended) >= policy.interval))
        restarts.pop_front();
    return history;
}

void count_restart(const Restart& policy, const Verdict& granted, Time ended, History& history) {
    if (history.consecutive < std::numeric_limits<unsigned>::max()) ++history.consecutive;
    if (policy.attempts == 0 || policy.interval == Duration::zero()) return;
    // One that had to wait counts from the end of its wait: by then the oldest has left the window,
    // and counted any sooner it would leave too soon itself.
    if (history.restarts.size() == policy.attempts) history.restarts.pop_front();
    history.restarts.push_back(granted.rule == Rule::window ? ended + granted.delay : ended);
}

// "; restart 2 of 5 within 10m, in 400ms (on-failure)"
std::string announce(const Restart& policy, std::uint64_t number, Duration delay,
                     const std::string& why) {
    std::string text = "; restart " + std::to_string(number);
    const bool window = policy.attempts != 0 && policy.interval != Duration::zero();
    if (policy.attempts != 0) text += " of " + std::to_string(policy.attempts);
    if (window) text += " within " + config::format_duration(policy.interval) + ",";
    text += delay == Duration::zero() ? " at once" : " in " + rounded(delay);
    return text + " (" + why + ")";
}

// The verdict when `used` restarts of `attempts` are spent: on_limit decides.
Verdict over_limit(const Restart& policy, const Ending& ending, const History& history,
                   std::uint64_t used, double chance) {
    const bool window = policy.interval != Duration::zero();
    Verdict verdict;
    verdict.rule = Rule::window;
    verdict.reason =
        describe(ending) + "; " + ordinal(used + 1) + (ending.cause ? " failure " : " end ") +
        (window ? "within " + config::format_duration(policy.interval) : std::string{"in a row"}) +
        ", attempts = " + std::to_string(policy.attempts) + ": ";
    if (policy.on_limit == OnLimit::delay) {
        const Duration wait = window ? policy.interval - age(history.restarts.front(), ending.ended)
                                     : policy.max_delay;
        verdict.restart = true;
        verdict.delay = std::max(wait, backoff(policy, history.consecutive, chance));
        verdict.reason += "restart in " + rounded(verdict.delay);
        verdict.reason += window ? ", when one has left the window" : ", the longest delay";
        return verdict;
    }
    verdict.failed = true;
    verdict.shut_down = policy.on_limit == OnLimit::shutdown;
    verdict.reason += verdict.shut_down ? "given up, and mydockerd shuts down" : "given up";
    return verdict;
}

}  // namespace

std::optional<Cause> classify(const Observed& observed, const Restart& policy) {
    const bool clean = observed.executed && observed.exit_code &&
                       contains(policy.success_exit_codes, *observed.exit_code);
    if (observed.oom_stopped || (!clean && observed.oom_kills > 0)) return Cause::oom;
    if (observed.start_timed_out) return Cause::start_timeout;
    if (!observed.executed) return Cause::start_error;
    if (clean) return std::nullopt;
    return observed.signal ? Cause::signal : Cause::exit;
}

Judged interrupted(const History& history, Clock::duration left) {
    const auto delay =
        std::max(config::Duration{0}, std::chrono::duration_cast<config::Duration>(left));
    return {{.restart = true,
             .delay = delay,
             .rule = Rule::interrupted,
             .reason = "mydockerd ended before this attempt could run anything; again " +
                       (delay.count() == 0 ? "at once" : "in " + config::format_duration(delay))},
            history};
}

Judged judge(const Restart& policy, const Ending& ending, const History& history, Wish wish,
             double chance) {
    if (wish == Wish::down) {
        const bool before_it_ran = ending.kind == Ending::Kind::never_ran && ending.error.empty();
        return {{.rule = Rule::operator_stop,
                 .reason = before_it_ran ? "stopped by the operator before it ran"
                                         : "stopped by the operator; " + describe(ending)},
                {}};
    }
    if (wish == Wish::bounce)
        return {{.restart = true,
                 .rule = Rule::operator_restart,
                 .reason = "restarted by the operator; " + describe(ending)},
                {}};

    History counting = still_counting(policy, ending, history);
    const Permission allowed = permission(policy, ending);
    if (!allowed.restart)
        return {{.rule = allowed.rule,
                 .failed = ending.cause.has_value(),
                 .reason = describe(ending) + "; not restarted (" + allowed.why + ")"},
                std::move(counting)};

    const bool window = policy.attempts != 0 && policy.interval != Duration::zero();
    const std::uint64_t used = window ? counting.restarts.size() : counting.consecutive;
    Verdict verdict;
    if (policy.attempts != 0 && used >= policy.attempts) {
        verdict = over_limit(policy, ending, counting, used, chance);
    } else {
        const Duration delay = backoff(policy, counting.consecutive, chance);
        verdict = {.restart = true,
                   .delay = delay,
                   .rule = allowed.rule,
                   .reason = describe(ending) + announce(policy, used + 1, delay, allowed.why)};
    }
    if (verdict.restart) count_restart(policy, verdict, ending.ended, counting);
    return {std::move(verdict), std::move(counting)};
}

Duration backoff(const Restart& policy, unsigned consecutive, double chance) {
    if (policy.delay <= Duration::zero()) return Duration::zero();
    const auto highest = static_cast<double>(policy.max_delay.count());
    // Compared as doubles: where std::pow overflows it answers infinity, and integers would not.
    const double grown =
        static_cast<double>(policy.delay.count()) * std::pow(policy.multiplier, consecutive);
    const double capped = std::min(highest, grown);
    const double jittered = capped * (1.0 + policy.jitter * (2.0 * chance - 1.0));
    if (jittered >= highest) return policy.max_delay;
    return Duration{std::llround(std::max(0.0, jittered))};
}

std::string_view name(Wish wish) {
    switch (wish) {
        case Wish::up: return "up";
        case Wish::down: return "down";
        case Wish::bounce: return "bounce";
    }
    return "?";
}

std::string_view name(Ending::Kind kind) {
    switch (kind) {
        case Ending::Kind::code: return "code";
        case Ending::Kind::signal: return "signal";
        case Ending::Kind::never_ran: return "never-ran";
        case Ending::Kind::unknown: return "unknown";
    }
    return "?";
}

std::string_view name(Rule rule) {
    switch (rule) {
        case Rule::operator_stop: return "operator-stop";
        case Rule::operator_restart: return "operator-restart";
        case Rule::prevent_on: return "prevent_on";
        case Rule::force_on: return "force_on";
        case Rule::success: return "success";
        case Rule::policy: return "policy";
        case Rule::window: return "window";
        case Rule::interrupted: return "interrupted";
    }
    return "?";
}

std::string_view name(Cause cause) {
    switch (cause) {
        case Cause::exit: return "exit";
        case Cause::signal: return "signal";
        case Cause::oom: return "oom";
        case Cause::start_error: return "start-error";
        case Cause::start_timeout: return "start-timeout";
    }
    return "?";
}

std::string_view name(Policy policy) {
    switch (policy) {
        case Policy::no: return "no";
        case Policy::always: return "always";
        case Policy::unless_stopped: return "unless-stopped";
        case Policy::on_failure: return "on-failure";
        case Policy::on_success: return "on-success";
        case Policy::on_abnormal: return "on-abnormal";
    }
    return "?";
}

std::string describe(const Ending& ending) {
    const std::string plain = [&]() -> std::string {
        switch (ending.kind) {
            case Ending::Kind::code: return "exited with code " + std::to_string(ending.number);
            case Ending::Kind::signal: return "killed by " + config::signal_name(ending.number);
            case Ending::Kind::unknown: return "ended while nobody watched; its code is unknown";
            case Ending::Kind::never_ran: break;
        }
        return ending.error;
    }();
    const bool never_ran = ending.kind == Ending::Kind::never_ran;
    const auto with = [&](const std::string& what) {
        if (plain.empty()) return what;
        return never_ran ? what + ": " + plain : what + " (" + plain + ")";
    };
    if (ending.cause == Cause::oom)
        return with(never_ran ? "ran out of memory while starting" : "ran out of memory");
    if (ending.cause == Cause::start_timeout) return with("did not start in time");
    if (ending.cause == Cause::start_error || never_ran) return with("could not start");
    return plain;
}

std::string describe(const Restart& policy) {
    std::string text{name(policy.policy)};
    const auto append_list = [&](const char* before, const auto& list, auto spelled) {
        const char* separator = before;
        for (const auto& element : list) {
            text += separator + std::string{spelled(element)};
            separator = " or ";
        }
    };
    const auto status = [](const config::Status& listed) {
        return listed.kind == config::Status::Kind::code ? std::to_string(listed.number)
                                                         : config::signal_name(listed.number);
    };
    append_list(" if ", policy.on, [](Cause cause) { return name(cause); });
    append_list(", never on ", policy.prevent_on, status);
    append_list(", always on ", policy.force_on, status);
    if (policy.policy == Policy::no && policy.force_on.empty()) return text;

    text += policy.delay == Duration::zero() ? ", at once"
                                             : ", " + config::format_duration(policy.delay);
    if (policy.delay != Duration::zero() && policy.multiplier != 1.0) {
        std::array<char, 32> factor{};
        std::snprintf(factor.data(), factor.size(), " x%g", policy.multiplier);
        text += factor.data() + (" up to " + config::format_duration(policy.max_delay));
    }
    if (policy.attempts == 0) return text;
    text +=
        ", " + std::to_string(policy.attempts) + " in " +
        (policy.interval == Duration::zero() ? "a row" : config::format_duration(policy.interval));
    switch (policy.on_limit) {
        case OnLimit::fail: return text + ", then fail";
        case OnLimit::delay: return text + ", then wait";
        case OnLimit::shutdown: return text + ", then shut down";
    }
    return text;
}

}  // namespace mydocker::supervisor
