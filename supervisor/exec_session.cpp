// See exec_session.hpp.
#include "supervisor/exec_session.hpp"

#include <signal.h>

#include <utility>

namespace mydocker::supervisor {

ExecSession::ExecSession(asio::any_io_executor executor, std::string id, ExecRequest request,
                         runtime::Handshake handshake, KeeperLink& keeper, const keeper::Key& key,
                         std::function<void()> gone)
    : input(executor),
      outputs{OutputEnd(executor), OutputEnd(executor)},
      executor_(std::move(executor)),
      id_(std::move(id)),
      request_(std::move(request)),
      handshake_(std::move(handshake)),
      keeper_(keeper),
      key_(key),
      gone_(std::move(gone)) {
    runtime::Stdio& stdio = handshake_.stdio;
    input.open(std::move(stdio.input), stdio.terminal(),
               [this] { keeper_.drop(key_, {keeper::role_input}); });
    input.resize(request_.size);
    for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i].open(std::move(stdio.output[i]));
}

void ExecSession::make_launch() {
    launch_ = std::make_shared<Launch>(executor_, handshake_,
                                       [weak = weak_from_this()](Launch::Step step) {
                                           if (const auto self = weak.lock()) self->on_step(step);
                                       });
}

void ExecSession::begin(ZygoteLink& zygote, int cgroup, int init_pidfd) {
    make_launch();
    launch_->ask(zygote, [&](runtime::Zygote& link, std::uint64_t id) {
        handshake_.clone(link, {.id = id, .cgroup = cgroup, .join = init_pidfd});
    });
}

void ExecSession::take_over(runtime::UniqueFd pidfd, pid_t pid) {
    make_launch();
    held_ = true;
    launch_->take_over(std::move(pidfd), pid);
}

void ExecSession::hold_in(KeeperLink& keeper) {
    keeper.hold(key_, launch_->pid,
                {{keeper::role_process, launch_->pidfd()},
                 {keeper::role_report, launch_->report()},
                 {keeper::role_input, input.fd()},
                 {keeper::role_output, outputs[0].fd()},
                 {keeper::role_error, outputs[1].fd()},
                 {keeper::role_slave, handshake_.stdio.slave.get()}});
    held_ = true;
}

void ExecSession::release() {
    try {
        if (abandoned_) return launch_->send(SIGKILL);  // still blocked: it has run nothing
        hold_in(keeper_);
        launch_->release();
    } catch (const std::system_error& error) {
        launch_->error = error.what();
        launch_->send(SIGKILL);
    }
}

void ExecSession::on_step(Launch::Step step) {
    switch (step) {
        case Launch::Step::cloned: release(); break;
        case Launch::Step::executed: keeper_.drop(key_, {keeper::role_report}); break;
        case Launch::Step::refused:
        case Launch::Step::exited: conclude(); break;
    }
    changed.ring();
}

void ExecSession::conclude() {
    const auto status = launch_->finish();
    ended_ = true;
    if (!launch_->executed) {
        exit_code_ = launch_->failed_exit_code;
        if (launch_->error.empty())
            launch_->error = "it was killed before it could execute the command";
    } else if (!status || !status->known) {
        exit_code_ = 125;
        launch_->error = "nobody saw how it ended: its exit code is unknown";
    } else {
        exit_code_ = status->signaled ? 128 + status->number : status->number;
    }
    input.close();
    if (told_) bury();
}

void ExecSession::told() {
    if (std::exchange(told_, true) || !ended_) return;
    bury();
}

void ExecSession::bury() {
    launch_->reap();
    if (std::exchange(held_, false)) keeper_.forget(key_);
    gone_();
}

void ExecSession::abandon() {
    abandoned_ = true;
    input.close();
    for (OutputEnd& output : outputs) output.close();
    handshake_.stdio.slave.reset();
    using namespace keeper;
    if (held_ && !ended_) keeper_.drop(key_, {role_input, role_output, role_error, role_slave});
}

}  // namespace mydocker::supervisor
