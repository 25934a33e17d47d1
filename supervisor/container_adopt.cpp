// How a container outlives mydockerd: what is written down of it while it lives, and how the next
// mydockerd goes on from there. What the kernel and the keeper say wins over what was written.
#include "runtime/exit_status.hpp"
#include "supervisor/container.hpp"
#include "supervisor/failpoint/failpoint.hpp"
#include "supervisor/log.hpp"
#include "supervisor/run.hpp"
#include "supervisor/translate.hpp"

namespace mydocker::supervisor {

// ---- writing

Snapshot Container::snapshot() const {
    Snapshot now;
    now.id = id();
    // Whoever rests stays at rest, whatever it wished before it came to that.
    now.wish = state_ == State::idle && !asked_ ? Wish::down : wish_;
    now.failed = failed_;
    now.reason = reason_;
    now.attempts = attempts_made_;
    now.restarts = restarts_;
    now.history = history_;
    now.next_start = next_start();
    if (ledger_.empty() || ledger_.back().judged) return now;
    LivingAttempt living;
    living.attempt = ledger_.back();
    if (living.attempt.observed.executed) {
        living.released = true;
        living.start_time = runtime::start_time_of(living.attempt.pid);
        living.pipes = run_->pipes();
    }
    for (const auto& exec : execs_)
        living.execs.push_back({exec->number(), exec->request().command, exec->request().user,
                                exec->request().terminal, exec->request().detached});
    now.living = std::move(living);
    return now;
}

void Container::take_snapshot() { services_.snapshots.save(snapshot()); }

void Container::note() {
    try {
        take_snapshot();
    } catch (const std::system_error& error) {
        log::error("{}: {}; should mydockerd die now, its successor would not know of it", name(),
                   error.what());
    }
}

void Container::hold_in(KeeperLink& keeper) {
    if (run_ && run_->held()) run_->hold_in(keeper);
    for (const auto& exec : execs_)
        if (exec->running()) exec->hold_in(keeper);
}

// ---- reading

std::pair<runtime::UniqueFd, runtime::Handshake> opened(runtime::Held& held) {
    using namespace keeper;
    runtime::Stdio stdio;
    stdio.input = std::move(held.fds[role_input]);
    stdio.output = {std::move(held.fds[role_output]), std::move(held.fds[role_error])};
    stdio.slave = std::move(held.fds[role_slave]);
    return {std::move(held.fds[role_process]),
            runtime::Handshake(std::move(stdio), std::move(held.fds[role_report]))};
}

void Container::adopt_attempts(Inheritance& from, std::vector<std::string>& problems) {
    const std::vector<Record> past = past_.load(problems, 1);
    for (const Record& record : past) ledger_.push_back(record.attempt);
    if (const Attempt* last = last_attempt()) {
        attempts_made_ = result_told_ = last->number;
        reason_ = last->verdict.reason;
        failed_ = last->verdict.failed;
    }
    is_new_ = !from.snapshot;
    if (is_new_) return note();
    Snapshot& then = *from.snapshot;
    wish_ = stored_.stopped ? Wish::down : then.wish;
    restarts_ = then.restarts;
    const bool on_record = then.living && then.living->attempt.number <= attempts_made_;
    attempts_made_ = std::max(attempts_made_, then.attempts);
    if (then.living && !on_record) {
        history_ = then.history;
        reason_ = then.reason;
        return resume(std::move(*then.living), from.held);
    }
    // Its record was written, and nothing after it.
    rest_or_wait(then, on_record ? &past.back() : nullptr);
}

void Container::adopt(Inheritance from, std::vector<std::string>& problems) {
    adopt_attempts(from, problems);
    // What nobody has taken: of attempts that are on record, of commands whose container has ended.
    for (const runtime::Held& each : from.held)
        if (each.fds[keeper::role_process]) services_.keeper.forget(each.key);
}

// Between two attempts, or at rest.
void Container::rest_or_wait(const Snapshot& then, const Record* last) {
    std::optional<Time> next = then.next_start;
    if (last != nullptr) {
        history_ = last->history;
        if (last->attempt.verdict.restart)
            next = last->attempt.ending.ended + last->attempt.verdict.delay;
    } else {
        history_ = then.history;
        failed_ = then.failed;
        reason_ = then.reason;
    }
    if (wish_ == Wish::down) return note();
    if (next) {
        state_ = State::waiting;
        deadline_ = next;
    } else if (last == nullptr) {  // it was asked to start, and had not begun
        asked_ = true;
        post(Event::start, 0);
    }
    note();
}

const std::vector<Attempt>& Container::ledger() const {
    if (!std::exchange(older_on_disk_, false)) return ledger_;
    std::vector<std::string> problems;
    std::vector<Attempt> all;
    for (Record& record : past_.load(problems))
        if (ledger_.empty() || record.attempt.number < ledger_.front().number)
            all.push_back(std::move(record.attempt));
    ledger_.insert(ledger_.begin(), std::make_move_iterator(all.begin()),
                   std::make_move_iterator(all.end()));
    if (ledger_.size() > ledger_size)
        ledger_.erase(ledger_.begin(), ledger_.end() - static_cast<std::ptrdiff_t>(ledger_size));
    for (const std::string& problem : problems) log::warn("{}", problem);
    return ledger_;
}

// An attempt that had begun and whose end nobody has written down.
void Container::resume(LivingAttempt living, std::vector<runtime::Held>& held) {
    const auto it = std::ranges::find_if(held, [&](const runtime::Held& each) {
        return each.key.exec == 0 && each.key.attempt == living.attempt.number;
    });
    runtime::UniqueFd process;
    runtime::Handshake handshake(runtime::Stdio{}, runtime::UniqueFd{});
    if (it != held.end()) {
        living.attempt.pid = it->pid;
        std::tie(process, handshake) = opened(*it);
    } else if (living.start_time != 0) {
        // The keeper has died too: by its number, and its pipes by their other ends.
        process = runtime::open_process(living.attempt.pid, living.start_time);
        if (process) handshake.stdio.output = runtime::reopen_pipes(living.attempt.pid, living.pipes);
    }
    const bool executed = living.attempt.observed.executed || (process && !handshake.report_read);
    if (executed && !living.attempt.observed.executed) {
        living.attempt.observed.executed = true;
        living.attempt.ready = Clock::now();
        living.attempt.ready_at = std::chrono::system_clock::now();
    }
    const std::vector<LivingExec> execs = std::move(living.execs);
    failpoint("adopt.begun");
    ledger_.push_back(std::move(living.attempt));
    run_ = std::make_shared<Run>(*this, translate(config_.limits, config_.oom_policy),
                                 std::move(handshake));
    if (!process) {  // it has ended, or never ran
        run_->take_over_nothing(executed);
        state_ = State::clearing;
        return clear();
    }
    run_->take_over(std::move(process), current().pid);
    state_ = executed ? State::running : State::starting;
    if (!executed) deadline_ = Clock::now() + config_.start_timeout;
    if (executed && run_->cgroup().frozen()) {
        state_ = State::paused;
        paused_since_ = Clock::now();
    }
    if (executed && config_.oom_policy == config::OomPolicy::stop) run_->watch_oom();
    for (runtime::Held& each : held) {
        const auto then = std::ranges::find(execs, each.key.exec, &LivingExec::number);
        if (each.key.exec != 0 && then != execs.end()) resume_exec(*then, std::move(each));
    }
    if (wish_ != Wish::up) post(Event::stop, 0);
    note();
    failpoint("adopt.done");
}

}  // namespace mydocker::supervisor
