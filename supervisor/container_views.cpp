// What is shown of a container: see container.hpp.
#include "supervisor/container.hpp"
#include "supervisor/run.hpp"

namespace mydocker::supervisor {

std::optional<Time> Container::next_start() const {
    const bool waits =
        state_ == State::waiting || state_ == State::arming || state_ == State::armed;
    return waits ? deadline_ : std::nullopt;
}

std::string Container::cgroup() const { return run_ ? run_->cgroup().path().string() : ""; }

const runtime::Cgroup* Container::living_cgroup() const { return run_ ? &run_->cgroup() : nullptr; }

std::string_view result_of(const Attempt& attempt) {
    if (!attempt.judged) return "";
    if (attempt.verdict.rule == Rule::operator_stop ||
        attempt.verdict.rule == Rule::operator_restart)
        return "operator";
    return attempt.ending.cause ? name(*attempt.ending.cause) : "clean";
}

std::string_view shown_state(const Container& container) {
    switch (container.state()) {
        case State::idle:
            if (container.failed()) return "failed";
            return container.last_attempt() == nullptr ? "created" : "exited";
        case State::queued: return container.admitted() ? "starting" : "queued";
        case State::building:
        case State::starting: return "starting";
        case State::running:
        case State::freezing: return "running";
        case State::paused: return "paused";
        case State::aborting:
        case State::stopping:
        case State::killing: return "stopping";
        case State::unkillable: return "unkillable";
        case State::clearing: return "cleaning";
        case State::waiting:
        case State::arming:
        case State::armed: return "waiting";
    }
    return "?";
}

}  // namespace mydocker::supervisor
