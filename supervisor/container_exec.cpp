// How a container gives birth to a command inside it: see Container::exec() in container.hpp.
#include "runtime/error.hpp"
#include "supervisor/container.hpp"
#include "supervisor/run.hpp"
#include "supervisor/translate.hpp"

namespace mydocker::supervisor {

std::shared_ptr<ExecSession> Container::exec(ExecRequest request) {
    const std::string what = "run a command in " + name();
    if (!running() && state_ != State::stopping)
        runtime::fail(ESRCH, what + ", which is " + std::string(shown_state(*this)));
    if (execs_.size() >= max_execs) runtime::fail(EAGAIN, what + ", where 64 run already");
    const runtime::EntrySpec spec =
        translate(request, translate(config_, services_.store.directory(id())));
    const std::string exec_id = id().substr(0, 12) + "-" + std::to_string(++execs_made_);
    const auto session = std::make_shared<ExecSession>(
        services_.executor, exec_id, std::move(request), spec, run_->init_pidfd(), current().pid,
        [weak = weak_from_this(), exec_id] {
            if (const auto self = weak.lock())
                std::erase_if(self->execs_,
                              [&](const auto& each) { return each->id() == exec_id; });
        });
    session->begin(services_.zygote, run_->cgroup().fd(), run_->init_pidfd());
    execs_.push_back(session);
    return session;
}

}  // namespace mydocker::supervisor
