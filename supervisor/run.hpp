// What one attempt of one container holds on the loop: its box, its init, its output, and the
// watches on its cgroup. Everything that happens is posted to the container's inbox with the
// attempt's number; nothing is decided here. Handlers keep the container alive, not the run: a
// closed run's handlers find their descriptors cancelled.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/box.hpp"
#include "supervisor/attempt.hpp"
#include "supervisor/keeper_link.hpp"
#include "supervisor/launch.hpp"
#include "supervisor/log_capture.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

class Container;

// What the keeper held of a process: its pidfd, and what we hold of it else.
std::pair<runtime::UniqueFd, runtime::Handshake> opened(runtime::Held& held);

class Run : public std::enable_shared_from_this<Run> {
public:
    // Makes the box; throws std::system_error with the step and path.
    Run(Container& container, const runtime::Spec& spec);
    // Of an attempt that an earlier mydockerd released. Throws where its cgroup has gone.
    Run(Container& container, const runtime::Limits& limits, runtime::Handshake open);

    void ask_for_init();  // posts built or build_failed
    // Gives the keeper what must outlive us, then writes the plan's end; posts executed, or notes
    // the failure. Throws where the keeper does not take it: nothing has been released then.
    void release();
    // In place of these two: its process is there already. Posts what is yet to come. `held`: by
    // the keeper; else it is given to it.
    void take_over(runtime::UniqueFd pidfd, pid_t pid, bool held);
    // Before that, of an attempt that nobody held: its init's pidfd, empty where it has ended, and
    // its pipes by their other ends. `pid` stays 0 where it was never released.
    runtime::UniqueFd find_released(pid_t& pid);
    // The same where there is no process any more.
    void take_over_nothing(bool executed);
    void hold_in(KeeperLink& keeper);
    void watch_oom();  // posts oom when the kernel has killed in it
    void send(int signal) const { launch_->send(signal); }
    void find_freeze();  // after take_over(): the cgroup may be frozen
    void freeze();       // posts frozen once the kernel has
    void thaw();         // harmless where it is not frozen
    void kill();
    // After the init's end (or where there never was one): fills in the attempt. True when nothing
    // is left in the cgroup; else survivors are killed and emptied is posted later.
    bool end();
    // Drains the logs and removes the cgroup; false when that is refused.
    bool dismantle();
    // Once its end is on record: reaps it, and the keeper forgets it.
    void bury();
    bool unreleased() const { return launch_ && launch_->unreleased; }  // after end()

    bool held() const { return held_; }
    bool freezes() const { return freezing_; }  // it is paused, or will be
    bool has_init() const { return launch_->has_process(); }
    int init_pidfd() const { return launch_->pidfd(); }
    runtime::Cgroup& cgroup() { return box_.cgroup; }
    // Whether the init handles, blocks, ignores or waits for the signal: as pid 1 it would never
    // see it otherwise.
    bool init_notices(int signal) const;

    runtime::Limits limits;  // as they stand in the cgroup now

private:
    using Handler = void (Run::*)();
    void watch(WatchedFd& fd, Handler handler);  // POLLPRI: cgroup v2's files tell of changes so
    void on_step(Launch::Step step);
    void on_memory_event();
    void on_cgroup_event();
    void on_freezing();
    void find_strays();
    Attempt* attempt() const;  // null once the container has gone on to another
    keeper::Key key() const;
    void make_launch();
    void open_streams();

    std::shared_ptr<Container> container_;
    std::uint64_t number_;
    runtime::Box box_;
    std::shared_ptr<Launch> launch_;
    std::unique_ptr<WatchedFd> memory_events_;
    std::unique_ptr<WatchedFd> cgroup_events_;  // while freezing, or while survivors are awaited
    bool freezing_ = false;                     // cgroup.freeze is 1
    bool held_ = false;                         // by the keeper
    std::shared_ptr<LogCapture> capture_;
    std::vector<runtime::UniqueFd> strays_;  // pidfds of inits that a dying zygote did not tell of
};

}  // namespace mydocker::supervisor
