// See launch.hpp.
#include "supervisor/launch.hpp"

#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <cerrno>

namespace mydocker::supervisor {

Launch::Launch(asio::any_io_executor executor, runtime::Handshake& handshake, Listener listener)
    : executor_(std::move(executor)), handshake_(handshake), listener_(std::move(listener)) {}

// One wait; the handler asks for the next where it wants one.
void Launch::watch(WatchedFd& fd, Handler handler) {
    fd->async_wait(asio::posix::stream_descriptor::wait_read,
                   [weak = weak_from_this(), handler](const asio::error_code& failure) {
                       const auto self = weak.lock();
                       if (!failure && self) (self.get()->*handler)();
                   });
}

void Launch::ask(ZygoteLink& zygote, const ZygoteLink::Ask& ask) {
    zygote.clone(ask, [self = shared_from_this()](runtime::Zygote::Answer answer,
                                                  const std::string& failure) {
        self->adopt(std::move(answer), failure);
    });
    // While the zygote clones: all that the release will need.
    report_ = std::make_unique<WatchedFd>(executor_, std::move(handshake_.report_read));
    plan_ = std::make_unique<WatchedFd>(executor_, std::move(handshake_.plan_write));
    plan_bytes_ = runtime::encode(handshake_.plan);
    // The init may read it already. Its last byte is kept back: should mydockerd die now, the
    // pipe's end releases nobody.
    write_plan(0, plan_bytes_.size() - 1);
}

// Of any size: the pipe takes what fits, the loop goes on. A failure means that the init is gone:
// its pidfd tells.
void Launch::write_plan(std::size_t begin, std::size_t end) {
    asio::async_write(**plan_, asio::buffer(plan_bytes_.data() + begin, end - begin),
                      [self = shared_from_this(), end](const asio::error_code&, std::size_t) {
                          const bool whole = end == self->plan_bytes_.size();
                          self->written_ = true;
                          if (whole) {
                              std::string().swap(self->plan_bytes_);
                              self->plan_.reset();
                          } else if (self->released_ && self->plan_) {
                              self->write_plan(end, end + 1);
                          }
                      });
}

void Launch::take_over(runtime::UniqueFd pidfd, pid_t number) {
    pid = number;
    pidfd_ = std::make_unique<WatchedFd>(executor_, std::move(pidfd));
    if (handshake_.report_read) {
        report_ = std::make_unique<WatchedFd>(executor_, std::move(handshake_.report_read));
        await_report();
    } else {
        executed = true;
    }
    watch(*pidfd_, &Launch::on_exit);
}

void Launch::adopt(runtime::Zygote::Answer answer, const std::string& failure) {
    if (!failure.empty()) {
        error = failure;
        return listener_(Step::refused);
    }
    try {
        pidfd_ = std::make_unique<WatchedFd>(executor_, std::move(answer.pidfd));
    } catch (const std::system_error& refused) {  // by epoll; it has run nothing, and never will
        error = std::string("watch the init's pidfd: ") + refused.what();
        return listener_(Step::refused);
    }
    pid = answer.pid;
    watch(*pidfd_, &Launch::on_exit);
    listener_(Step::cloned);
}

void Launch::release() {
    released_ = true;
    if (written_) write_plan(plan_bytes_.size() - 1, plan_bytes_.size());
    await_report();
}

// For the pipe's end, not for its first byte, which stays in it.
void Launch::await_report() {
    (*report_)->async_wait(asio::posix::stream_descriptor::wait_error,
                           [weak = weak_from_this()](const asio::error_code& failure) {
                               const auto self = weak.lock();
                               if (!failure && self) self->read_report();
                           });
}

void Launch::read_report() {
    if (!report_) return;
    runtime::InitReport report;
    try {
        report = runtime::peek_report(report_->get());
    } catch (const std::system_error&) {  // for want of memory: its end or the deadline asks again
        return;
    }
    if (!report.complete) return await_report();
    report_.reset();
    if (report.failure) {
        const auto failure = runtime::explain(handshake_.plan, *report.failure, report.executing);
        unreleased = report.failure->step == wire::no_whole_plan;
        error = failure.text;
        failed_exit_code = failure.exit_code;
    } else if (report.executed() && !doomed_) {
        executed = true;
        runtime::Plan().swap(handshake_.plan);  // assigning an empty one would keep the memory
        listener_(Step::executed);
    }
}

void Launch::on_exit() {
    if (!has_process()) return;
    // Asio may wake a new descriptor with the last event of one that was closed in the same turn.
    if (!runtime::peek_exit(pidfd_->get())) return watch(*pidfd_, &Launch::on_exit);
    listener_(Step::exited);
}

void Launch::send(int signal) const {
    if (has_process()) runtime::send_signal(pidfd_->get(), signal);
}

std::optional<runtime::ExitStatus> Launch::finish() {
    std::optional<runtime::ExitStatus> status;
    if (pidfd_) {
        // The writer of the report is dead: one read settles what it said, whichever event came
        // first.
        read_report();
        status = runtime::peek_exit(pidfd_->get());
    }
    plan_.reset();
    report_.reset();
    finished_ = true;
    return status;
}

void Launch::reap() {
    if (pidfd_) runtime::reap(pidfd_->get());
    pidfd_.reset();
}

}  // namespace mydocker::supervisor
