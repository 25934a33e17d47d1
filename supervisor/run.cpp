// See run.hpp.
#include "supervisor/run.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <charconv>
#include <sstream>

#include "runtime/kernel_file.hpp"
#include "supervisor/container.hpp"
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

Attempt* Run::attempt() const {
    Attempt& last = container_->current();
    return last.number == number_ ? &last : nullptr;
}

// One wait; the handler asks for the next where it wants one.
void Run::watch(WatchedFd& fd, Handler handler, bool priority) {
    fd->async_wait(priority ? asio::posix::stream_descriptor::wait_error
                            : asio::posix::stream_descriptor::wait_read,
                   [weak = weak_from_this(), handler](const asio::error_code& error) {
                       const auto self = weak.lock();
                       if (!error && self) (self.get()->*handler)();
                   });
}

void Run::ask_for_init() {
    container_->services_.zygote.clone(
        box_,
        [self = shared_from_this()](runtime::Zygote::Answer answer, const std::string& error) {
            self->adopt(std::move(answer), error);
        });
    // While the zygote clones: all that the release will need.
    const auto& executor = container_->services_.executor;
    report_ = std::make_unique<WatchedFd>(executor, std::move(box_.report_read));
    capture_ = std::make_shared<LogCapture>(executor, container_->logs_, std::move(box_.output));
    plan_ = std::make_unique<WatchedFd>(executor, std::move(box_.plan_write));
    plan_bytes_ = runtime::encode(box_.plan);
}

void Run::adopt(runtime::Zygote::Answer answer, const std::string& error) {
    Attempt* record = attempt();
    if (record == nullptr) return;
    if (!error.empty()) {
        record->error = error;
        container_->post(Event::build_failed, number_);
        return;
    }
    record->pid = answer.pid;
    record->oom_baseline = box_.cgroup.oom_kills().value_or(0);
    pidfd_ = std::make_unique<WatchedFd>(container_->services_.executor, std::move(answer.pidfd));
    watch(*pidfd_, &Run::on_exit);
    container_->post(Event::built, number_);
}

void Run::release() {
    // Of any size: the pipe takes what fits, the loop goes on, and the end of the writing is the
    // EOF that releases the init. A failure means that the init is gone; its pidfd tells.
    asio::async_write(**plan_, asio::buffer(plan_bytes_),
                      [self = shared_from_this()](const asio::error_code&, std::size_t) {
                          self->plan_.reset();
                          std::string().swap(self->plan_bytes_);
                      });
    // While the init already reads: what it says meanwhile waits in the pipes.
    capture_->start();
    watch(*report_, &Run::read_report);
}

void Run::read_report() {
    Attempt* record = attempt();
    if (record == nullptr || !report_) return;
    for (;;) {
        wire::StepFailure word{};
        const ssize_t size = ::read(report_->get(), &word, sizeof word);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return watch(*report_, &Run::read_report);
        if (size == sizeof word && word.error == 0) {
            about_to_execute_ = true;
            continue;
        }
        report_.reset();
        if (size == sizeof word) {
            const auto failure = runtime::explain(box_.plan, word);
            record->error = failure.text;
            record->failed_exit_code = failure.exit_code;
        } else if (about_to_execute_ && !killed_) {
            record->observed.executed = true;
            record->ready = Clock::now();
            record->ready_at = std::chrono::system_clock::now();
            runtime::Plan().swap(box_.plan);  // assigning an empty one would keep the memory
            container_->post(Event::executed, number_);
        }
        return;
    }
}

void Run::on_exit() {
    if (!pidfd_) return;
    // Asio may wake a new descriptor with the last event of one that was closed in the same turn.
    if (!runtime::peek_exit(pidfd_->get())) return watch(*pidfd_, &Run::on_exit);
    container_->post(Event::exited, number_);
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
        return watch(*memory_events_, &Run::on_memory_event, true);
    record->observed.oom_stopped = true;
    container_->post(Event::oom, number_);
}

void Run::send(int signal) const {
    if (pidfd_) runtime::send_signal(pidfd_->get(), signal);
}

void Run::kill() {
    killed_ = true;
    box_.cgroup.kill();
}

bool Run::init_notices(int signal) const {
    const std::string directory = "/proc/" + std::to_string(container_->current().pid);
    const auto status = runtime::read_file_at(AT_FDCWD, (directory + "/status").c_str());
    if (!status) return true;
    for (const std::string key : {"SigBlk:\t", "SigIgn:\t", "SigCgt:\t"}) {
        const std::size_t at = status->find(key);
        std::uint64_t mask = 0;
        if (at == std::string::npos) return true;
        const char* begin = status->data() + at + key.size();
        std::from_chars(begin, begin + 16, mask, 16);
        if ((mask >> (signal - 1) & 1) != 0) return true;
    }
    // While it waits in sigwait(3), as our reaper, tini and dumb-init do, the kernel shows as
    // unblocked what it waits for.
    const auto call = runtime::read_file_at(AT_FDCWD, (directory + "/syscall").c_str());
    return call && call->starts_with(std::to_string(SYS_rt_sigtimedwait) + " ");
}

bool Run::end() {
    Attempt* record = attempt();
    if (record == nullptr) return true;
    if (pidfd_) {
        // The writer of the report is dead: one read settles what it said, whichever event came
        // first.
        read_report();
        if (const auto status = runtime::peek_exit(pidfd_->get())) {
            (status->signaled ? record->observed.signal : record->observed.exit_code) =
                status->number;
        }
        record->observed.oom_kills = box_.cgroup.oom_kills().value_or(0) - record->oom_baseline;
        record->memory_peak = box_.cgroup.memory_peak();
        runtime::reap(pidfd_->get());
        pidfd_.reset();
    }
    plan_.reset();
    memory_events_.reset();
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
    std::istringstream pids(runtime::read_file_at(box_.cgroup.fd(), "cgroup.procs").value_or(""));
    for (pid_t pid = 0; pids >> pid;)
        strays_.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

void Run::on_cgroup_event() {
    if (box_.cgroup.populated())
        watch(*cgroup_events_, &Run::on_cgroup_event, true);
    else
        container_->post(Event::emptied, number_);
}

bool Run::dismantle() {
    cgroup_events_.reset();
    report_.reset();
    if (capture_) capture_->finish();
    capture_.reset();
    for (const runtime::UniqueFd& stray : strays_) runtime::reap(stray.get());
    strays_.clear();
    return box_.cgroup.remove();
}

}  // namespace mydocker::supervisor
