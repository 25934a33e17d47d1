// The birth and the end of one process out of the zygote, on the loop: the clone, the plan down its
// pipe, the report, the pidfd. The same for a container's init and for an exec session. Everything
// is told to one listener; nothing is decided here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/exit_status.hpp"
#include "runtime/handshake.hpp"
#include "supervisor/watched_fd.hpp"
#include "supervisor/zygote_link.hpp"

namespace mydocker::supervisor {

class Launch : public std::enable_shared_from_this<Launch> {
public:
    enum class Step : std::uint8_t {
        cloned,    // the init exists, blocked
        refused,   // it does not: `error` says why
        executed,  // the workload runs
        exited     // the pidfd said so
    };
    using Listener = std::function<void(Step)>;

    // The handshake must live until this is destroyed or its process has ended.
    Launch(asio::any_io_executor executor, runtime::Handshake& handshake, Listener listener);

    void ask(ZygoteLink& zygote, const ZygoteLink::Ask& ask);  // and writes the plan but its end
    void release();                                            // the plan's last byte and its EOF
    // Of a process that an earlier mydockerd released. With a report it may still be on its way to
    // its execve(2), or have never been told to go; else it executes.
    void take_over(runtime::UniqueFd pidfd, pid_t number);
    // The process is about to be killed: the end of its report is no execve(2) any more.
    void doom() { doomed_ = true; }
    void send(int signal) const;
    // After `exited`: what the report still said, and how it ended. The zombie stays until reap().
    std::optional<runtime::ExitStatus> finish();
    void reap();
    bool has_process() const { return pidfd_ != nullptr && !finished_; }
    int pidfd() const { return pidfd_ ? pidfd_->get() : -1; }
    int report() const { return report_ ? report_->get() : -1; }  // until the exec

    pid_t pid = 0;
    bool executed = false;
    bool unreleased = false;     // it ended for want of its whole plan: nothing ran
    std::string error;           // why it could not be cloned, or which step of its plan failed
    int failed_exit_code = 125;  // docker's code for such a failure: 125, 126, 127

private:
    using Handler = void (Launch::*)();
    void watch(WatchedFd& fd, Handler handler);
    void write_plan(std::size_t begin, std::size_t end);
    void adopt(runtime::Zygote::Answer answer, const std::string& failure);
    void await_report();
    void read_report();
    void on_exit();

    asio::any_io_executor executor_;
    runtime::Handshake& handshake_;
    Listener listener_;
    std::string plan_bytes_;
    std::unique_ptr<WatchedFd> plan_;
    std::unique_ptr<WatchedFd> report_;
    std::unique_ptr<WatchedFd> pidfd_;
    bool written_ = false;  // the plan but its last byte
    bool released_ = false;
    bool doomed_ = false;
    bool finished_ = false;
};

}  // namespace mydocker::supervisor
