// One supervised container: its desired state, its observed state, its ledger, and the coroutine
// that is the only one to move it from state to state. What to do comes from lifecycle.hpp's table;
// here it is done, one case an action. What one attempt holds is in run.hpp.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/host.hpp"
#include "runtime/cgroup.hpp"
#include "supervisor/attempt.hpp"
#include "supervisor/exec_session.hpp"
#include "supervisor/inbox.hpp"
#include "supervisor/input_end.hpp"
#include "supervisor/ledger.hpp"
#include "supervisor/lifecycle.hpp"
#include "supervisor/log_files.hpp"
#include "supervisor/services.hpp"
#include "supervisor/snapshot.hpp"
#include "supervisor/store.hpp"
#include "supervisor/verdict.hpp"

namespace mydocker::supervisor {

class Run;

// What an earlier mydockerd left of a container.
struct Inheritance {
    std::optional<Snapshot> snapshot;  // where it was in this boot of the machine
    std::vector<runtime::Held> held;   // descriptors of its attempt and of the commands inside
    std::optional<Record> last;        // on record, where that was read already
};

class Container : public std::enable_shared_from_this<Container> {
public:
    static constexpr std::size_t ledger_size = 32;  // attempts remembered; older ones are forgotten
    static constexpr std::size_t max_execs = 64;    // commands inside at once

    Container(Services& services, StoredContainer stored, config::Container config);
    ~Container();

    // Before open(): goes on where an earlier mydockerd left it. `problems`: of its ledger.
    // container_adopt.cpp.
    void adopt(Inheritance from, std::vector<std::string>& problems);
    bool is_new() const { return is_new_; }  // to this boot of the machine: autostart asks
    void hold_in(KeeperLink& keeper);        // all that must outlive this mydockerd
    // Writes down what a successor of this mydockerd must know; where that fails it is logged,
    // since it must not stand in the way.
    void note();
    void open();   // starts the coroutine
    void close();  // ends it; only at rest

    // The operator's wishes. Each returns at once; `changed` rings as they come true. Throws
    // std::system_error where the wish cannot be written down first.
    void start();
    void stop(std::optional<config::Duration> grace = std::nullopt);
    void restart(std::optional<config::Duration> grace = std::nullopt);
    // As stop(); it is to be removed once it rests, whoever is mydockerd by then.
    void leave(std::optional<config::Duration> grace = std::nullopt);
    bool leaving() const { return leaving_; }
    // For a shutdown: as stop(), but the next boot's autostart does not count it as the operator's.
    void stop_for_shutdown(config::Duration grace);
    void signal(int number);              // to the init; throws ESRCH when nothing runs
    runtime::UniqueFd open_init() const;  // its pidfd; throws ESRCH when nothing runs
    // A command inside, on its way. Throws std::system_error: ESRCH when nothing runs, EAGAIN when
    // too many do.
    std::shared_ptr<ExecSession> exec(ExecRequest request);
    // One that an earlier mydockerd began and whose client may come back; null: none.
    std::shared_ptr<ExecSession> find_exec(const std::string& exec_id) const;
    void pause();    // only what is running()
    void unpause();  // only what is paused() or pausing()

    // New settings, as far as they can be had without touching the workload: limits go to the
    // kernel at once. Throws, with nothing changed, where the kernel refuses one.
    void configure(const config::Container& config);
    // New settings for the next attempt; this one keeps what it has.
    void configure_next(const config::Container& config);
    // What has been written down of it, by somebody else: its name may be another.
    void remember(StoredContainer stored);
    // Its directory goes as soon as nobody reads its log any more. Only at rest, after close().
    void discard() { discarded_ = true; }
    bool discarded() const { return discarded_; }

    const StoredContainer& stored() const { return stored_; }
    const std::string& id() const { return stored_.id; }
    const std::string& name() const { return stored_.name; }
    const config::Container& config() const { return config_; }
    State state() const { return state_; }
    bool at_rest() const { return state_ == State::idle; }
    bool failed() const { return failed_; }
    bool running() const { return state_ == State::running || state_ == State::freezing; }
    bool paused() const { return state_ == State::paused; }
    bool pausing() const { return pausing_; }  // asked for, and not come true yet
    bool admitted() const { return services_.gate.holds(inbox_); }  // by the start gate
    bool unkillable() const { return state_ == State::unkillable; }
    const std::string& reason() const { return reason_; }
    Wish wish() const { return wish_; }
    std::uint64_t attempts() const { return attempts_made_; }  // the last one's number; 0: none
    const std::vector<Attempt>& ledger() const;  // reads what is on disk the first time
    const Attempt* last_attempt() const { return ledger_.empty() ? nullptr : &ledger_.back(); }
    std::uint64_t restarts() const { return restarts_; }
    // When the back-off ends; nullopt unless it waits.
    std::optional<Time> next_start() const;
    const std::vector<std::string>& warnings() const { return warnings_; }
    // Of the living attempt; "" where there is none.
    std::string cgroup() const;
    const runtime::Cgroup* living_cgroup() const;  // null where there is no attempt

    InputEnd& console() { return console_; }  // stdin, or the terminal
    const std::vector<std::shared_ptr<ExecSession>>& execs() const { return execs_; }  // alive
    LogFiles& logs() { return logs_; }
    const LogFiles& logs() const { return logs_; }

    Bell changed;

private:
    friend class Run;

    asio::awaitable<void> live(std::shared_ptr<Container> self);
    void enter(State to);
    void perform(Action action, State from);
    void publish(std::string_view before);

    void begin_stop(std::optional<config::Duration> grace);
    void build();
    void release();
    void announce();
    void send_stop_signal();
    void kill();
    void clear();
    void conclude();
    void settle(State from);
    void write_down(bool stopped);
    void record();  // the end of the current attempt, in the ledger
    Snapshot snapshot() const;
    void take_snapshot();  // throws std::system_error
    void adopt_attempts(Inheritance& from, std::vector<std::string>& problems);
    void resume(LivingAttempt living, const Snapshot& then, std::vector<runtime::Held>& held);
    std::shared_ptr<ExecSession> make_exec(std::uint32_t number, ExecRequest request,
                                           runtime::Handshake handshake);
    void resume_exec(const LivingExec& then, runtime::Held held);
    void rest_or_wait(const Snapshot& snapshot, const Record* last);
    void put_on_record();  // unrecorded_, as far as the disk takes it

    Attempt& current() { return ledger_.back(); }
    void post(Event event, std::uint64_t attempt) { inbox_.post(event, attempt); }

    Services& services_;
    StoredContainer stored_;
    config::Container config_;
    LogFiles logs_;
    Ledger past_;
    InputEnd console_;
    Inbox inbox_;

    State state_ = State::idle;
    std::optional<Time> deadline_;
    std::string reason_ = "never started";
    bool failed_ = false;
    Wish wish_ = Wish::down;
    std::optional<config::Duration> grace_;  // of the stop in progress, where it was given
    History history_;
    // Of those before this mydockerd only the last one, until somebody asks for more.
    mutable std::vector<Attempt> ledger_;
    mutable bool older_on_disk_ = true;
    std::vector<Record> unrecorded_;  // not in the ledger's file yet: it could not be written
    std::uint64_t attempts_made_ = 0;
    std::uint64_t result_told_ = 0;  // the last attempt whose end was an event
    std::uint64_t restarts_ = 0;
    std::vector<std::string> warnings_;
    std::shared_ptr<Run> run_;
    std::vector<std::shared_ptr<ExecSession>> execs_;
    std::vector<std::weak_ptr<ExecSession>> waiting_;  // for their clients
    std::uint32_t execs_made_ = 0;
    Time paused_since_{};
    std::string freeze_error_;  // why it cannot be paused
    bool pausing_ = false;
    bool is_new_ = true;
    bool asked_ = false;  // to start, and that is still to come
    bool leaving_ = false;
    std::optional<Time> due_;  // the back-off's end, of an attempt that was begun before it
    bool discarded_ = false;
};

// What people are told: "created", "starting", "running", "stopping", "waiting", "exited",
// "failed", …
std::string_view shown_state(const Container& container);

}  // namespace mydocker::supervisor
