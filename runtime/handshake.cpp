// See handshake.hpp.
#include "runtime/handshake.hpp"

namespace mydocker::runtime {

Handshake::Handshake(Plan work, Stdio streams) : plan(std::move(work)), stdio(std::move(streams)) {
    Pipe plan_pipe = make_pipe();
    Pipe report = make_pipe();
    make_nonblocking(plan_pipe.write);
    make_nonblocking(report.read);
    plan_read_ = std::move(plan_pipe.read);
    plan_write = std::move(plan_pipe.write);
    report_read = std::move(report.read);
    report_write_ = std::move(report.write);
}

void Handshake::clone(Zygote& zygote, Zygote::Request request) {
    request.plan = plan_read_.get();
    request.report = report_write_.get();
    for (std::size_t i = 0; i < request.standard.size(); ++i)
        request.standard[i] = stdio.theirs[i].get();
    zygote.request(request);
    plan_read_.reset();
    report_write_.reset();
    for (UniqueFd& fd : stdio.theirs) fd.reset();
}

}  // namespace mydocker::runtime
