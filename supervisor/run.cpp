// See run.hpp.
#include "supervisor/run.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/kernel_file.hpp"
#include "supervisor/container.hpp"
#include "supervisor/failpoint/failpoint.hpp"
#include "supervisor/log.hpp"

namespace mydocker::supervisor {

Run::Run(Container& container, const runtime::Spec& spec)
    : limits(spec.limits),
      container_(container.shared_from_this()),
      number_(container.current().number),
      box_(
          container.services_.tree, container.id(), spec,
          {.best_effort = container.services_.settings.limits == config::LimitsMode::best_effort}) {
}

Run::Run(Container& container, const runtime::Limits& limits_of_it, runtime::Handshake open)
    : limits(limits_of_it),
      container_(container.shared_from_this()),
      number_(container.current().number),
      box_(runtime::Cgroup::open(container.services_.tree, container.id(),
                                 {.best_effort = container.services_.settings.limits ==
                                                 config::LimitsMode::best_effort}),
           std::move(open)) {}

keeper::Key Run::key() const { return keeper_key(container_->id(), number_); }

Attempt* Run::attempt() const {
    Attempt& last = container_->current();
    return last.number == number_ ? &last : nullptr;
}

// One wait; the handler asks for the next where it wants one.
void Run::watch(WatchedFd& fd, Handler handler) {
    fd->async_wait(asio::posix::stream_descriptor::wait_error,
                   [weak = weak_from_this(), handler](const asio::error_code& error) {
                       const auto self = weak.lock();
                       if (!error && self) (self.get()->*handler)();
                   });
}

void Run::make_launch() {
    launch_ = std::make_shared<Launch>(container_->services_.executor, box_.handshake,
                                       [weak = weak_from_this()](Launch::Step step) {
                                           if (const auto self = weak.lock()) self->on_step(step);
                                       });
}

void Run::ask_for_init() {
    make_launch();
    launch_->ask(container_->services_.zygote, [this](runtime::Zygote& zygote, std::uint64_t id) {
        box_.clone_init(zygote, id);
    });
}

void Run::open_streams() {
    runtime::Stdio& stdio = box_.handshake.stdio;
    container_->console_.open(std::move(stdio.input), stdio.terminal(),
                              [&keeper = container_->services_.keeper, key = key()] {
                                  keeper.drop(key, {keeper::role_input});
                              });
    capture_ = std::make_shared<LogCapture>(container_->services_.executor, container_->logs_,
                                            std::move(stdio.output));
}

void Run::hold_in(KeeperLink& keeper) {
    if (launch_->pidfd() < 0) return;  // taken over when it had gone already
    const auto output = [&](std::size_t index) { return capture_ ? capture_->fd(index) : -1; };
    keeper.hold(key(), launch_->pid,
                {{keeper::role_process, launch_->pidfd()},
                 {keeper::role_report, launch_->report()},
                 {keeper::role_input, container_->console_.fd()},
                 {keeper::role_output, output(0)},
                 {keeper::role_error, output(1)},
                 {keeper::role_slave, box_.handshake.stdio.slave.get()}});
    held_ = true;
}

void Run::release() {
    open_streams();
    failpoint("start.cloned");
    hold_in(container_->services_.keeper);
    failpoint("start.held");
    const auto inode = [&](std::size_t index) { return runtime::pipe_inode(capture_->fd(index)); };
    box_.cgroup.mark_released({launch_->pid, {inode(0), inode(1)}});
    launch_->release();
    failpoint("start.released");
    capture_->start();
}

runtime::UniqueFd Run::find_released(pid_t& pid) {
    const auto released = box_.cgroup.released();
    if (!released) return {};
    pid = released->init;
    runtime::UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    // All of its pid namespace ends with it: who has the number and is in the cgroup is the init.
    const auto living = box_.cgroup.processes();
    if (std::ranges::find(living, pid) == living.end()) process.reset();
    box_.handshake.stdio.output = runtime::reopen_pipes(living, released->pipes);
    return process;
}

void Run::take_over(runtime::UniqueFd pidfd, pid_t pid, bool held) {
    make_launch();
    held_ = held;
    launch_->take_over(std::move(pidfd), pid);
    open_streams();
    if (!held) hold_in(container_->services_.keeper);
    capture_->start();
}

void Run::find_freeze() { freezing_ = box_.cgroup.freezes(); }

void Run::take_over_nothing(bool executed) {
    make_launch();
    launch_->unreleased = !executed;
    held_ = true;
}

void Run::on_step(Launch::Step step) {
    Attempt* record = attempt();
    if (record == nullptr) return;
    switch (step) {
        case Launch::Step::cloned:
            record->pid = launch_->pid;
            record->oom_baseline = box_.cgroup.oom_kills().value_or(0);
            return container_->post(Event::built, number_);
        case Launch::Step::refused:
            record->error = launch_->error;
            return container_->post(Event::build_failed, number_);
        case Launch::Step::executed:
            record->observed.executed = true;
            record->ready = Clock::now();
            record->ready_at = std::chrono::system_clock::now();
            container_->services_.keeper.drop(key(), {keeper::role_report});
            return container_->post(Event::executed, number_);
        case Launch::Step::exited: return container_->post(Event::exited, number_);
    }
}

void Run::watch_oom() {
    runtime::UniqueFd fd = box_.cgroup.watch_memory();
    if (!fd) return;
    memory_events_ = std::make_unique<WatchedFd>(container_->services_.executor, std::move(fd));
    on_memory_event();
}

void Run::on_memory_event() {
    Attempt* record = attempt();
    if (record == nullptr) return;
    if (box_.cgroup.oom_kills().value_or(0) <= record->oom_baseline)
        return watch(*memory_events_, &Run::on_memory_event);
    record->observed.oom_stopped = true;
    container_->post(Event::oom, number_);
}

void Run::freeze() {
    // Watched before it is asked for: the change cannot be missed.
    cgroup_events_ =
        std::make_unique<WatchedFd>(container_->services_.executor, box_.cgroup.watch_events());
    freezing_ = true;
    container_->take_snapshot();  // first: our successor asks the cgroup where this says so
    failpoint("pause.noted");
    box_.cgroup.freeze();
    failpoint("pause.written");
    on_freezing();
}

void Run::on_freezing() {
    if (!freezing_ || !cgroup_events_) return;
    if (!box_.cgroup.frozen()) return watch(*cgroup_events_, &Run::on_freezing);
    cgroup_events_.reset();
    container_->post(Event::frozen, number_);
}

void Run::thaw() {
    if (!freezing_) return;
    box_.cgroup.thaw();
    freezing_ = false;  // only now: where that failed, it is tried again
    cgroup_events_.reset();
}

void Run::kill() {
    launch_->doom();
    box_.cgroup.kill();
}

bool Run::init_notices(int signal) const {
    const std::string directory = "/proc/" + std::to_string(container_->current().pid);
    const auto status = runtime::read_file_at(AT_FDCWD, (directory + "/status").c_str());
    if (!status) return true;
    for (const char* key : {"SigBlk", "SigIgn", "SigCgt"}) {
        const auto mask = runtime::status_mask(*status, key);
        if (!mask || (*mask >> (signal - 1) & 1) != 0) return true;
    }
    // While it waits in sigwait(3), as our reaper, tini and dumb-init do, the kernel shows as
    // unblocked what it waits for.
    const auto call = runtime::read_file_at(AT_FDCWD, (directory + "/syscall").c_str());
    return call && call->starts_with(std::to_string(SYS_rt_sigtimedwait) + " ");
}

bool Run::end() {
    Attempt* record = attempt();
    if (record == nullptr) return true;
    if (const auto status = launch_->finish(); status && status->known)
        (status->signaled ? record->observed.signal : record->observed.exit_code) = status->number;
    if (!launch_->error.empty()) {
        record->error = launch_->error;
        record->failed_exit_code = launch_->failed_exit_code;
    }
    if (record->pid > 0) {
        record->observed.oom_kills = box_.cgroup.oom_kills().value_or(0) - record->oom_baseline;
        record->memory_peak = box_.cgroup.memory_peak();
    }
    container_->console_.close();
    memory_events_.reset();
    freezing_ = false;  // cgroup.kill reaches the frozen too, and the cgroup goes with the attempt
    if (!box_.cgroup.populated()) return true;
    if (record->pid == 0) find_strays();
    kill();
    cgroup_events_ =
        std::make_unique<WatchedFd>(container_->services_.executor, box_.cgroup.watch_events());
    on_cgroup_event();
    return false;
}

// A zygote that died between its clone and its answer leaves a child of ours that nobody else
// reaps.
void Run::find_strays() {
    for (const pid_t pid : box_.cgroup.processes())
        strays_.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

void Run::on_cgroup_event() {
    if (box_.cgroup.populated())
        watch(*cgroup_events_, &Run::on_cgroup_event);
    else
        container_->post(Event::emptied, number_);
}

bool Run::dismantle() {
    cgroup_events_.reset();
    if (capture_) capture_->finish();
    capture_.reset();
    for (const runtime::UniqueFd& stray : strays_) runtime::reap(stray.get());
    strays_.clear();
    return box_.cgroup.remove();
}

void Run::bury() {
    if (launch_) launch_->reap();
    if (std::exchange(held_, false)) container_->services_.keeper.forget(key());
}

}  // namespace mydocker::supervisor
