// See handshake.hpp.
#include "runtime/handshake.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cstring>
#include <system_error>

#include "runtime/error.hpp"

namespace mydocker::runtime {

InitReport peek_report(int pipe) {
    InitReport report;
    pollfd ask{pipe, POLLIN, 0};
    must(::poll(&ask, 1, 0), "poll the init's report");
    report.complete = (ask.revents & POLLHUP) != 0;
    int size = 0;
    must(::ioctl(pipe, FIONREAD, &size), "ask for the size of the init's report");
    if (size <= 1) {
        report.executing = size == 1;
        return report;
    }
    char text[1 + sizeof(wire::StepFailure)]{};
    UniqueFd copy;
    try {
        Pipe scratch = make_pipe();
        must(::tee(pipe, scratch.write.get(), sizeof text, SPLICE_F_NONBLOCK), "copy the report");
        copy = std::move(scratch.read);
    } catch (const std::system_error&) {  // for want of descriptors: better read once than never
    }
    must(::read(copy ? copy.get() : pipe, text, sizeof text), "read the init's report");
    report.executing = size == sizeof text;
    std::memcpy(&report.failure.emplace(), text + (report.executing ? 1 : 0),
                sizeof *report.failure);
    return report;
}

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
