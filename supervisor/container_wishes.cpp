// What the operator wishes of a container, and new settings for it: see container.hpp. Each returns
// at once; container.cpp makes it come true.
#include <fcntl.h>
#include <signal.h>

#include "config/scalar.hpp"
#include "runtime/error.hpp"
#include "supervisor/container.hpp"
#include "supervisor/run.hpp"
#include "supervisor/translate.hpp"

namespace mydocker::supervisor {

namespace {

// What pid 1 of a namespace is spared unless it asked for it (signal(7): term and core).
bool ends_by_default(int signal) {
    switch (signal) {
        case SIGKILL:
        case SIGSTOP: return false;  // sent by an ancestor namespace, these always work
        case SIGCHLD:
        case SIGCONT:
        case SIGURG:
        case SIGWINCH:
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU: return false;
        default: return true;
    }
}

}  // namespace

void Container::start() {
    if (stored_.stopped) write_down(false);
    // A stop is on its way, in the inbox or in the kernel: it ends first.
    if (wish_ == Wish::down && !at_rest()) {
        wish_ = Wish::bounce;
        return note();
    }
    if (state_ == State::idle || next_start()) history_ = {};
    if (wish_ != Wish::bounce) wish_ = Wish::up;
    asked_ = true;
    note();
    post(Event::start, 0);
}

void Container::stop(std::optional<config::Duration> grace) {
    if (!stored_.stopped) write_down(true);
    begin_stop(grace);
    note();
}

void Container::leave(std::optional<config::Duration> grace) {
    stop(grace);
    leaving_ = true;
    note();
}

void Container::stop_for_shutdown(config::Duration grace) {
    begin_stop(std::min(grace, config_.stop_grace_period));
}

void Container::begin_stop(std::optional<config::Duration> grace) {
    wish_ = Wish::down;
    asked_ = false;
    grace_ = grace;
    if (state_ == State::stopping && grace) {
        // A second stop may be more impatient than the first, never less.
        const Time sooner = Clock::now() + *grace;
        if (!deadline_ || sooner < *deadline_) deadline_ = sooner;
        inbox_.nudge();
        note();
    }
    post(Event::stop, 0);
}

void Container::restart(std::optional<config::Duration> grace) {
    if (at_rest() || state_ == State::waiting || state_ == State::queued) return start();
    if (stored_.stopped) write_down(false);
    begin_stop(grace);  // of a pre-armed init too: it was built with the settings of its time
    wish_ = Wish::bounce;
    note();
}

runtime::UniqueFd Container::open_init() const {
    if (!run_ || !run_->has_init())
        runtime::fail(ESRCH, "enter " + name() + ", which is not running");
    return runtime::UniqueFd(runtime::must(::fcntl(run_->init_pidfd(), F_DUPFD_CLOEXEC, 3),
                                           "duplicate the pidfd of " + name()));
}

void Container::pause() {
    pausing_ = true;
    post(Event::pause, attempts_made_);
}

void Container::unpause() { post(Event::unpause, attempts_made_); }

void Container::signal(int number) {
    if (!run_ || !run_->has_init())
        runtime::fail(ESRCH, "signal " + name() + ", which is not running");
    if (state_ < State::running || state_ > State::stopping)
        runtime::fail(ESRCH, "signal " + name() + ", which is " + std::string(shown_state(*this)));
    if (!config_.init && ends_by_default(number) && !run_->init_notices(number))
        runtime::fail(ENOTSUP,
                      "signal " + name() + ": its pid 1 has no handler for " +
                          config::signal_name(number) +
                          ", so the kernel would drop it; stop it, or start it with init = true");
    run_->send(number);
}

void Container::configure(const config::Container& config) {
    const runtime::Limits fresh = translate(config.limits, config.oom_policy);
    if (run_) {
        run_->cgroup().update(run_->limits, fresh);
        run_->limits = fresh;
    }
    const bool began_to_stop_on_oom = config.oom_policy == config::OomPolicy::stop &&
                                      config_.oom_policy != config::OomPolicy::stop;
    config_ = config;
    logs_.configure(config.logging);
    if (began_to_stop_on_oom && state_ >= State::running && state_ < State::stopping)
        run_->watch_oom();
    changed.ring();
}

void Container::configure_next(const config::Container& config) {
    config_ = config;
    logs_.configure(config.logging);
}

void Container::remember(StoredContainer stored) {
    stored_ = std::move(stored);
    config_.name = stored_.name;
}

void Container::write_down(bool stopped) {
    StoredContainer wanted = stored_;
    wanted.stopped = stopped;
    services_.store.save(wanted);
    stored_ = std::move(wanted);
}

}  // namespace mydocker::supervisor
