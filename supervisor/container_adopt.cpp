// How a container outlives mydockerd: what is written down of it while it lives, and how the next
// mydockerd goes on from there. What the kernel and the keeper say wins over what was written.
#include "config/load.hpp"
#include "runtime/exit_status.hpp"
#include "supervisor/container.hpp"
#include "supervisor/failpoint/failpoint.hpp"
#include "supervisor/log.hpp"
#include "supervisor/run.hpp"
#include "supervisor/translate.hpp"

namespace mydocker::supervisor {

// ---- writing

namespace {

// For people to know it again: a command line may have megabytes, the file that holds it must not.
std::vector<std::string> shortened(const std::vector<std::string>& command) {
    constexpr std::size_t enough = 1024;
    std::vector<std::string> words;
    std::size_t size = 0;
    for (const std::string& word : command) {
        size += word.size() + 1;
        if (size > enough) {
            words.emplace_back("...");
            break;
        }
        words.push_back(word);
    }
    return words;
}

}  // namespace

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
    now.next_start = next_start() ? next_start() : due_;
    now.may_be_frozen = run_ && run_->freezes();
    if (state_ == State::stopping) now.stop_by = deadline_;
    if (leaving_) now.leaving = config::dump_json(config_);
    now.unrecorded = unrecorded_;
    // Until what follows from its end has been done, it counts as alive.
    if (ledger_.empty() || (ledger_.back().judged && state_ != State::clearing)) return now;
    LivingAttempt living;
    living.attempt = ledger_.back();
    for (const auto& exec : execs_)
        living.execs.push_back({exec->number(), shortened(exec->request().command),
                                exec->request().user, exec->request().terminal,
                                exec->request().detached});
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
        if (exec->held()) exec->hold_in(keeper);
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
    std::vector<Record> past;
    if (from.last)
        past.push_back(std::move(*from.last));
    else
        past = past_.load(problems, 1);
    if (from.snapshot)
        for (Record& record : from.snapshot->unrecorded) {
            if (!past.empty() && record.attempt.number <= past.back().attempt.number) continue;
            unrecorded_.push_back(record);
            past.push_back(std::move(record));
        }
    put_on_record();
    for (const Record& record : past) ledger_.push_back(record.attempt);
    if (const Attempt* last = last_attempt()) {
        attempts_made_ = last->number;
        reason_ = last->verdict.reason;
        failed_ = last->verdict.failed;
    }
    is_new_ = !from.snapshot;
    if (is_new_) {  // noted once it is decided whether it starts
        result_told_ = attempts_made_;
        return;
    }
    Snapshot& then = *from.snapshot;
    leaving_ = !then.leaving.empty();
    wish_ = stored_.stopped ? Wish::down : then.wish;
    restarts_ = then.restarts;
    // The record of its end was written, and the note that followed was not.
    const std::uint64_t next = then.living ? then.living->attempt.number : then.attempts + 1;
    const bool on_record = attempts_made_ >= next;
    if (!on_record) result_told_ = attempts_made_;
    attempts_made_ = std::max(attempts_made_, then.attempts);
    if (then.living && !on_record) {
        history_ = then.history;
        reason_ = then.reason;
        due_ = then.next_start;
        return resume(std::move(*then.living), then, from.held);
    }
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
    if (last != nullptr && !last->attempt.verdict.restart) {
        state_ = State::clearing;  // what comes with a rest may not have been done
        post(Event::rest, attempts_made_);
    } else if (wish_ == Wish::down) {
        // At rest it is.
    } else if (next) {
        state_ = State::waiting;
        deadline_ = next;
    } else if (last == nullptr) {  // it was asked to start, and had not begun
        asked_ = true;
        post(Event::start, 0);
    }
}

const std::vector<Attempt>& Container::ledger() const {
    if (!std::exchange(older_on_disk_, false)) return ledger_;
    std::vector<std::string> problems;
    std::vector<Attempt> all;
    try {
        for (Record& record : past_.load(problems))
            if (ledger_.empty() || record.attempt.number < ledger_.front().number)
                all.push_back(std::move(record.attempt));
    } catch (const std::exception& error) {
        problems.push_back(error.what());
        older_on_disk_ = true;
    }
    ledger_.insert(ledger_.begin(), std::make_move_iterator(all.begin()),
                   std::make_move_iterator(all.end()));
    if (ledger_.size() > ledger_size)
        ledger_.erase(ledger_.begin(), ledger_.end() - static_cast<std::ptrdiff_t>(ledger_size));
    for (const std::string& problem : problems) log::warn("{}", problem);
    return ledger_;
}

// An attempt that had begun and whose end nobody has written down.
void Container::resume(LivingAttempt living, const Snapshot& then,
                       std::vector<runtime::Held>& held) {
    const auto it = std::ranges::find_if(held, [&](const runtime::Held& each) {
        return each.key.exec == 0 && each.key.attempt == living.attempt.number;
    });
    const bool is_held = it != held.end();
    runtime::UniqueFd process;
    runtime::Handshake handshake(runtime::Stdio{}, runtime::UniqueFd{});
    if (is_held) {
        living.attempt.pid = it->pid;
        std::tie(process, handshake) = opened(*it);
    }
    const bool is_known = living.attempt.observed.executed;  // that it was executed
    bool executed = is_known || (process && !handshake.report_read);
    const std::vector<LivingExec> execs = std::move(living.execs);
    failpoint("adopt.begun");
    ledger_.push_back(std::move(living.attempt));
    run_ = std::make_shared<Run>(*this, translate(config_.limits, config_.oom_policy),
                                 std::move(handshake));
    if (!is_held) {  // the keeper has died too
        pid_t released = 0;
        process = run_->find_released(released);
        executed = executed || released != 0;
        if (released != 0) current().pid = released;
    }
    if (executed && !is_known) {
        current().observed.executed = true;
        current().ready = Clock::now();
        current().ready_at = std::chrono::system_clock::now();
    }
    if (!process) {  // it has ended, or never ran
        run_->take_over_nothing(executed);
        state_ = State::clearing;
        return perform(Action::clear, State::running);
    }
    run_->take_over(std::move(process), current().pid, is_held);
    if (then.may_be_frozen) run_->find_freeze();
    state_ = executed ? State::running : State::starting;
    if (!executed) deadline_ = Clock::now() + config_.start_timeout;
    if (executed && run_->freezes()) {  // acknowledged or not: an unpause undoes it
        state_ = State::paused;
        paused_since_ = Clock::now();
    }
    if (executed && config_.oom_policy == config::OomPolicy::stop) run_->watch_oom();
    for (runtime::Held& each : held) {
        const auto known = std::ranges::find(execs, each.key.exec, &LivingExec::number);
        if (each.key.exec != 0 && known != execs.end()) resume_exec(*known, std::move(each));
    }
    if (state_ == State::running && wish_ != Wish::up &&
        then.stop_by) {  // it has its signal already
        state_ = State::stopping;
        deadline_ = then.stop_by;
    } else if (wish_ != Wish::up) {
        post(Event::stop, 0);
    }
    if (executed && !is_known) note();
    failpoint("adopt.done");
}

}  // namespace mydocker::supervisor
