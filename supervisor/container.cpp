// See container.hpp: what is done. What is wished is in container_wishes.cpp.
#include "supervisor/container.hpp"

#include <signal.h>

#include "config/scalar.hpp"
#include "runtime/error.hpp"
#include "supervisor/failpoint/failpoint.hpp"
#include "supervisor/hook.hpp"
#include "supervisor/log.hpp"
#include "supervisor/run.hpp"
#include "supervisor/spawn.hpp"
#include "supervisor/translate.hpp"

namespace mydocker::supervisor {

namespace {

constexpr auto freeze_patience = std::chrono::seconds{10};  // a process in state D is not frozen
constexpr auto kill_patience = std::chrono::seconds{5};   // before a container counts as unkillable
constexpr auto clear_patience = std::chrono::seconds{5};  // before survivors are killed again

// One attempt goes, and whether another comes is not decided.
bool is_ending(State state) {
    return state == State::aborting || (state >= State::stopping && state <= State::clearing);
}

}  // namespace

Container::Container(Services& services, StoredContainer stored, config::Container config)
    : services_(services),
      stored_(std::move(stored)),
      config_(std::move(config)),
      logs_(services.store.directory(stored_.id) / "log", config_.logging),
      past_(services.store.ledger(stored_.id)),
      console_(services.executor),
      inbox_(services.executor) {}

// The last one to hold it may be a client that still reads its log.
Container::~Container() {
    if (discarded_) remove_tree(services_.executor, services_.store.directory(id()));
}

void Container::open() {
    spawn(services_.executor, "container " + name(), live(shared_from_this()));
}

void Container::close() {
    if (!unrecorded_.empty()) put_on_record();
    inbox_.close();
}

asio::awaitable<void> Container::live(std::shared_ptr<Container> self) {
    while (const auto message = co_await self->inbox_.next(self->deadline_)) {
        if (message->attempt != 0 && message->attempt != self->attempts_made_)
            continue;  // too late
        if (message->event == Event::slot && !self->services_.gate.holds(self->inbox_)) continue;
        // Where one attempt is on its way out, a start is remembered until it has gone.
        if (message->event == Event::start && !is_ending(self->state_)) self->asked_ = false;
        const auto [to, action] = step(self->state_, message->event);
        if (to == self->state_ && action == Action::none) continue;
        const std::string_view shown = shown_state(*self);
        log::debug("{}: {} in {} -> {}, {}", self->name(), supervisor::name(message->event),
                   supervisor::name(self->state_), supervisor::name(to), supervisor::name(action));
        const State from = self->state_;
        self->enter(to);
        self->perform(action, from);
        self->publish(shown);
    }
}

void Container::enter(State to) {
    if (state_ == State::paused && to != State::paused)
        current().paused_for += Clock::now() - paused_since_;
    if (to == State::paused) paused_since_ = Clock::now();
    if (to != State::freezing) pausing_ = false;
    state_ = to;
    // A back-off's end stays what it was while the next attempt is being pre-armed.
    if (to != State::arming && to != State::armed) deadline_.reset();
    switch (to) {
        case State::queued:
        case State::building:
        case State::aborting:
        case State::starting:
        case State::waiting:
        case State::arming: break;  // in the gate, or on the way to it
        default: services_.gate.release(inbox_);
    }
}

void Container::perform(Action action, State from) {
    const Time now = Clock::now();
    try {
        switch (action) {
            case Action::none: break;
            case Action::request_slot:
                services_.gate.request(inbox_);
                reason_ = admitted() ? "attempt " + std::to_string(attempts_made_ + 1)
                                     : "waits for the host-wide start gate (max_concurrent_starts)";
                break;
            case Action::build: build(); break;
            case Action::hold: break;
            case Action::release:
                deadline_ = now + config_.start_timeout;
                release();
                break;
            case Action::announce: announce(); break;
            case Action::freeze:
                deadline_ = now + freeze_patience;
                run_->freeze();
                break;
            case Action::stand: reason_ = "paused by the operator"; break;
            case Action::thaw:
                run_->thaw();
                reason_ = "attempt " + std::to_string(attempts_made_) + " runs";
                break;
            case Action::relent:
                run_->thaw();
                if (freeze_error_.empty())
                    freeze_error_ = "the kernel did not freeze its processes within " +
                                    config::format_duration(freeze_patience) +
                                    " (see ps -o stat,wchan for state D)";
                reason_ =
                    "could not be paused: " + std::exchange(freeze_error_, "") + "; it runs on";
                log::error("{}: {}", name(), reason_);
                break;
            case Action::signal: send_stop_signal(); break;
            case Action::time_out:
                current().observed.start_timed_out = true;
                current().error = "its command was not executed within " +
                                  config::format_duration(config_.start_timeout);
                reason_ = current().error;
                note();
                kill();
                break;
            case Action::kill: kill(); break;
            case Action::lament:
                reason_ =
                    "the kernel does not end its processes (see ps -o stat,wchan for state D); "
                    "still waiting";
                if (from != State::unkillable) log::error("{}: {}", name(), reason_);
                kill();  // it may have been the writing of cgroup.kill that failed
                break;
            case Action::clear: clear(); break;
            case Action::conclude: conclude(); break;
            case Action::nag:
                deadline_ = now + clear_patience;
                log::warn("{}: processes are left in {}; killing them again", name(), cgroup());
                run_->kill();
                if (!run_->cgroup().populated()) post(Event::emptied, attempts_made_);
                break;
            case Action::wait:
                deadline_ = now + current().verdict.delay;
                if (asked_) post(Event::start, 0);
                note();
                failpoint("end.waiting");
                if (config_.restart.prearm) services_.gate.request(inbox_);
                break;
            case Action::settle:
                settle(from);
                note();
                break;
        }
    } catch (const std::exception& error) {
        log::error("{}: {}: {}", name(), supervisor::name(action), error.what());
        // What cannot be done now is met again by the state's deadline, or by the next event.
        if (action == Action::freeze) {
            freeze_error_ = error.what();
            deadline_ = now;
        }
        if (action == Action::clear || action == Action::conclude || action == Action::nag)
            deadline_ = now + clear_patience;
    }
}

// `before`: the state that people were shown. The finer steps between two of those are told to
// nobody.
void Container::publish(std::string_view before) {
    const std::string_view now = shown_state(*this);
    if (before != now) {
        if (state_ == State::waiting || state_ == State::idle) log::info("{}: {}", name(), reason_);
        // Once an attempt: what happens to the container before its next one is no end of this.
        const bool ends = (state_ == State::waiting || state_ == State::idle) && attempts_made_ > 0;
        const bool tells = ends && std::exchange(result_told_, attempts_made_) != attempts_made_;
        services_.journal.add({.type = "state",
                               .container = name(),
                               .id = id(),
                               .from = std::string(before),
                               .state = std::string(now),
                               .attempt = attempts_made_,
                               .result = tells ? std::string(result_of(current())) : "",
                               .reason = reason_});
    }
    changed.ring();
    if (state_ == State::idle && !asked_) services_.rested(*this);
}

// ---- actions

void Container::build() {
    if (wish_ == Wish::bounce) wish_ = Wish::up;
    if (last_attempt() != nullptr && last_attempt()->verdict.restart &&
        last_attempt()->verdict.rule != Rule::interrupted)
        ++restarts_;
    Attempt attempt;
    attempt.number = ++attempts_made_;
    attempt.began = std::chrono::system_clock::now();
    attempt.log = logs_.end();
    ledger_.push_back(std::move(attempt));
    if (ledger_.size() > ledger_size) ledger_.erase(ledger_.begin());
    try {
        failpoint("start.begun");
        take_snapshot();  // before anything of it exists: no attempt is begun twice
        failpoint("start.recorded");
        run_ = std::make_shared<Run>(*this, translate(config_, services_.store.directory(id())));
        warnings_ = run_->cgroup().skipped();
        for (const std::string& warning : warnings_) log::warn("{}: {}", name(), warning);
        failpoint("start.boxed");
        run_->ask_for_init();
        failpoint("start.asked");
    } catch (const std::exception& error) {
        current().error = error.what();
        post(Event::build_failed, attempts_made_);
    }
}

void Container::release() {
    try {
        run_->release();
    } catch (const std::system_error& error) {
        current().error = error.what();
        run_->kill();  // still blocked: it has run nothing
    }
}

void Container::announce() {
    reason_ = "attempt " + std::to_string(attempts_made_) + " runs";
    failpoint("start.executed");
    note();
    failpoint("start.done");
    if (config_.oom_policy == config::OomPolicy::stop) run_->watch_oom();
}

void Container::send_stop_signal() {
    const bool ordered = wish_ != Wish::up;
    const std::string signal = config::signal_name(config_.stop_signal);
    config::Duration grace = grace_.value_or(config_.stop_grace_period);
    grace_.reset();
    reason_ = ordered ? "stopped by the operator: "
                      : "a process was killed for want of memory (oom_policy stop): ";
    // As pid 1 of its namespace it never sees a signal that it neither handles nor blocks
    // (pid_namespaces(7)): there is nothing to wait for.
    if (config_.stop_signal == SIGKILL) {
        reason_ += signal + " sent";
    } else if (config_.init || run_->init_notices(config_.stop_signal)) {
        reason_ += signal + " sent, SIGKILL in " + config::format_duration(grace);
    } else {
        grace = config::Duration{0};
        warnings_.push_back("its pid 1 has no handler for " + signal +
                            ", so a stop kills it at once; init = true would forward the signal");
        reason_ += warnings_.back();
    }
    deadline_ = Clock::now() + grace;
    run_->send(config_.stop_signal);
    run_->thaw();  // else it could not heed the signal (moby#15853)
    note();
}

void Container::kill() {
    deadline_ = Clock::now() + kill_patience;
    run_->kill();
}

void Container::clear() {
    deadline_ = Clock::now() + clear_patience;
    failpoint("end.seen");
    const bool empty = !run_ || run_->end();
    const Observed& observed = current().observed;
    if (observed.signal)
        reason_ = "ended by " + config::signal_name(*observed.signal);
    else
        reason_ = !observed.executed   ? "could not be started"
                  : observed.exit_code ? "ended with code " + std::to_string(*observed.exit_code)
                                       : "ended while nobody watched";
    if (empty) post(Event::emptied, attempts_made_);
}

void Container::conclude() {
    if (current().judged) return;  // told twice that it is empty: by the nagging, and by the kernel
    if (run_ && !run_->dismantle()) {
        deadline_ = Clock::now() + std::chrono::milliseconds{50};
        return;
    }

    Attempt& attempt = current();
    const Observed& observed = attempt.observed;
    attempt.ended_at = std::chrono::system_clock::now();
    Ending& ending = attempt.ending;
    ending.ended = Clock::now();
    if (observed.executed) {
        ending.kind = observed.signal      ? Ending::Kind::signal
                      : observed.exit_code ? Ending::Kind::code
                                           : Ending::Kind::unknown;
        ending.number = observed.signal ? *observed.signal : observed.exit_code.value_or(0);
        ending.ready_for =
            std::chrono::duration_cast<config::Duration>(attempt.ran_until(ending.ended));
    } else if (attempt.error.empty() && wish_ == Wish::up) {
        attempt.error = "its init ended before it could execute the command";
        if (observed.signal) attempt.error += " (" + config::signal_name(*observed.signal) + ")";
    }
    ending.error = attempt.error;
    ending.cause = classify(observed, config_.restart);

    Judged judged = run_ && run_->unreleased() && wish_ == Wish::up
                        ? interrupted(history_, due_ ? *due_ - ending.ended : Clock::duration{0})
                        : judge(config_.restart, ending, history_, wish_, services_.chance());
    history_ = std::move(judged.history);
    attempt.verdict = std::move(judged.verdict);
    attempt.judged = true;
    reason_ = attempt.verdict.reason;
    failed_ = attempt.verdict.failed;
    failpoint("end.judged");
    record();
    failpoint("end.recorded");
    due_.reset();
    if (!unrecorded_.empty()) note();  // then it is at least there
    if (run_) run_->bury();
    run_.reset();
    failpoint("end.buried");
    post(attempt.verdict.restart ? Event::again : Event::rest, attempts_made_);
}

// A disk that is full ends no container: the record is tried again with the next one.
void Container::record() {
    unrecorded_.push_back({current(), history_});
    if (unrecorded_.size() > ledger_size) unrecorded_.erase(unrecorded_.begin());
    put_on_record();
}

void Container::put_on_record() {
    try {
        while (!unrecorded_.empty()) {
            past_.append(unrecorded_.front());
            unrecorded_.erase(unrecorded_.begin());
        }
    } catch (const std::system_error& error) {
        log::error("{}: its attempt {} is not on record yet: {}", name(),
                   unrecorded_.front().attempt.number, error.what());
    }
}

void Container::settle(State from) {
    logs_.close();
    grace_.reset();
    if (wish_ == Wish::bounce || asked_) {  // started again before it had come to rest
        wish_ = Wish::up;
        asked_ = true;
        post(Event::start, 0);
    }
    // Stopped while it waited for a slot or backed off: there is no new attempt to judge.
    if (from != State::clearing) {
        reason_ = "stopped by the operator before its next attempt";
        failed_ = false;
        return;
    }
    if (failed_ && !config_.restart.on_failure.empty())
        run_hook(services_.executor, name(), config_.restart.on_failure,
                 {{"name", name()}, {"id", id()}, {"reason", reason_}});
    if (current().verdict.shut_down) services_.shut_down(name() + ": " + reason_);
}

}  // namespace mydocker::supervisor
