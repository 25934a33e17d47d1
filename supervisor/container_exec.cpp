// How a container gives birth to a command inside it: see Container::exec() in container.hpp.
#include "runtime/error.hpp"
#include "supervisor/container.hpp"
#include "supervisor/run.hpp"
#include "supervisor/spawn.hpp"
#include "supervisor/translate.hpp"

namespace mydocker::supervisor {

namespace {

constexpr auto client_patience = std::chrono::seconds{30};

// Keeps a session that an earlier mydockerd began: its client has a while to come back, also for
// the exit code of a command that has ended. Then it is as if they had left.
asio::awaitable<void> await_client(asio::any_io_executor executor,
                                   std::shared_ptr<ExecSession> session) {
    Waker waker(executor);
    co_await waker.pause(Clock::now() + client_patience);
    if (session->has_client()) co_return;
    if (!session->ended()) session->abandon();
    session->told();
}

}  // namespace

std::shared_ptr<ExecSession> Container::exec(ExecRequest request) {
    const std::string what = "run a command in " + name();
    if (!running() && state_ != State::stopping)
        runtime::fail(ESRCH, what + ", which is " + std::string(shown_state(*this)));
    if (execs_.size() >= max_execs) runtime::fail(EAGAIN, what + ", where 64 run already");
    const runtime::EntrySpec spec =
        translate(request, translate(config_, services_.store.directory(id())));
    const auto session = make_exec(++execs_made_, std::move(request),
                                   runtime::prepare_entry(run_->init_pidfd(), current().pid, spec));
    session->begin(services_.zygote, run_->cgroup().fd(), run_->init_pidfd());
    execs_.push_back(session);
    note();
    return session;
}

std::shared_ptr<ExecSession> Container::make_exec(std::uint32_t number, ExecRequest request,
                                                  runtime::Handshake handshake) {
    const std::string exec_id = id().substr(0, 12) + "-" + std::to_string(number);
    return std::make_shared<ExecSession>(
        services_.executor, exec_id, std::move(request), std::move(handshake), services_.keeper,
        keeper_key(id(), attempts_made_, number), [weak = weak_from_this(), exec_id] {
            if (const auto self = weak.lock())
                std::erase_if(self->execs_,
                              [&](const auto& each) { return each->id() == exec_id; });
        });
}

// What an earlier mydockerd began. Whoever asked for it has a while to come back; then it is as if
// they had left.
void Container::resume_exec(const LivingExec& then, runtime::Held held) {
    ExecRequest request{.command = then.command,
                        .user = then.user,
                        .terminal = then.terminal,
                        .open_stdin = static_cast<bool>(held.fds[keeper::role_input]),
                        .detached = then.detached};
    execs_made_ = std::max(execs_made_, then.number);
    auto [process, handshake] = opened(held);
    const auto session = make_exec(then.number, std::move(request), std::move(handshake));
    session->take_over(std::move(process), held.pid);
    execs_.push_back(session);
    if (then.detached) return session->told();
    waiting_.push_back(session);
    spawn(services_.executor, "exec " + session->id(), await_client(services_.executor, session));
}

std::shared_ptr<ExecSession> Container::find_exec(const std::string& exec_id) const {
    for (const auto& each : waiting_)
        if (const auto session = each.lock(); session && session->id() == exec_id) return session;
    return nullptr;
}

}  // namespace mydocker::supervisor
