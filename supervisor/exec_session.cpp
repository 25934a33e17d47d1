// See exec_session.hpp.
#include "supervisor/exec_session.hpp"

#include <signal.h>

namespace mydocker::supervisor {

ExecSession::ExecSession(asio::any_io_executor executor, std::string id, ExecRequest request,
                         const runtime::EntrySpec& spec, int init_pidfd, pid_t init_pid,
                         std::function<void()> gone)
    : input(executor),
      outputs{OutputEnd(executor), OutputEnd(executor)},
      executor_(std::move(executor)),
      id_(std::move(id)),
      request_(std::move(request)),
      entry_(init_pidfd, init_pid, spec),
      gone_(std::move(gone)) {
    runtime::Stdio& stdio = entry_.handshake.stdio;
    input.open(std::move(stdio.input), stdio.terminal());
    input.resize(request_.size);
    for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i].open(std::move(stdio.output[i]));
}

void ExecSession::begin(ZygoteLink& zygote, int cgroup, int init_pidfd) {
    launch_ = std::make_shared<Launch>(executor_, entry_.handshake,
                                       [weak = weak_from_this()](Launch::Step step) {
                                           if (const auto self = weak.lock()) self->on_step(step);
                                       });
    launch_->ask(zygote, [&](runtime::Zygote& link, std::uint64_t id) {
        entry_.clone_init(link, id, cgroup, init_pidfd);
    });
}

void ExecSession::on_step(Launch::Step step) {
    switch (step) {
        case Launch::Step::cloned:
            if (abandoned_)
                launch_->send(SIGKILL);  // still blocked: it has run nothing
            else
                launch_->release();
            break;
        case Launch::Step::executed: break;
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
    } else if (status) {
        exit_code_ = status->signaled ? 128 + status->number : status->number;
    }
    input.close();
    gone_();
}

void ExecSession::abandon() {
    abandoned_ = true;
    input.close();
    for (OutputEnd& output : outputs) output.close();
    entry_.handshake.stdio.slave.reset();
}

}  // namespace mydocker::supervisor
