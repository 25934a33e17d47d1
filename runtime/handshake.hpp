// What mydockerd and one blocked init hold of each other, from before the clone until the init has
// its own: the plan's pipe, the report's pipe and the standard streams. The same for a container's
// init and for a process that is put into a running container.
#pragma once

#include <optional>

#include "runtime/plan.hpp"
#include "runtime/stdio.hpp"
#include "runtime/unique_fd.hpp"
#include "runtime/zygote.hpp"

namespace mydocker::runtime {

// What an init has said on its report pipe. It stays in the pipe: should mydockerd die now, the
// next one reads the same.
struct InitReport {
    bool complete = false;   // the pipe's other end is closed: no more will come
    bool executing = false;  // it came as far as execve(2)
    std::optional<wire::StepFailure> failure;

    bool executed() const { return complete && executing && !failure; }
};
InitReport peek_report(int pipe);  // throws std::system_error

class Handshake {
public:
    Handshake(Plan work, Stdio streams);  // makes the pipes; throws std::system_error
    // With a process that an earlier mydockerd made. `report`: empty once it is known to execute.
    Handshake(Stdio streams, UniqueFd report)
        : stdio(std::move(streams)), report_read(std::move(report)) {}

    // Asks for the init, with our pipes put into the request, and drops our copies of what is now
    // its own.
    void clone(Zygote& zygote, Zygote::Request request);

    Plan plan;
    Stdio stdio;
    // Ours and non-blocking: closing the plan's write end releases the init.
    UniqueFd plan_write;
    UniqueFd report_read;

private:
    UniqueFd plan_read_;
    UniqueFd report_write_;
};

}  // namespace mydocker::runtime
