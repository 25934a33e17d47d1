// One command that an operator runs inside a running container (`exec`). It is no attempt: no
// policy judges it, nothing is logged of what it says, and it ends with the container at the
// latest.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/entry.hpp"
#include "supervisor/attempt.hpp"
#include "supervisor/input_end.hpp"
#include "supervisor/keeper_link.hpp"
#include "supervisor/launch.hpp"
#include "supervisor/output_end.hpp"

namespace mydocker::supervisor {

struct ExecRequest {
    std::vector<std::string> command;
    std::map<std::string, std::string> environment = {};  // over the container's
    std::string user = {};                                // "": the container's
    std::string working_dir = {};                         // "": the container's
    bool terminal = false;
    bool open_stdin = false;
    bool privileged = false;
    bool detached = false;  // its streams are /dev/null
    runtime::WindowSize size = {};
};

class ExecSession : public std::enable_shared_from_this<ExecSession> {
public:
    // `gone` is called once, when nothing is left to be told of it. `key`: under which the keeper
    // has it.
    ExecSession(asio::any_io_executor executor, std::string id, ExecRequest request,
                runtime::Handshake handshake, KeeperLink& keeper, const keeper::Key& key,
                std::function<void()> gone);

    void begin(ZygoteLink& zygote, int cgroup, int init_pidfd);
    // In its place, of one that an earlier mydockerd began.
    void take_over(runtime::UniqueFd pidfd, pid_t pid);
    void hold_in(KeeperLink& keeper);
    bool held() const { return held_; }  // by the keeper
    void signal(int number) { launch_->send(number); }
    // The client has left: what the process writes goes nowhere, a terminal hangs up (SIGHUP).
    void abandon();
    // Its end has been told, or nobody is left to be told. Until then its zombie keeps the exit
    // code: the client may ask the next mydockerd for it.
    void told();
    bool has_client() const { return has_client_; }
    void has_client(bool now) { has_client_ = now; }

    const std::string& id() const { return id_; }
    const ExecRequest& request() const { return request_; }
    std::uint32_t number() const { return key_.exec; }
    WallTime began() const { return began_; }
    pid_t pid() const { return launch_->pid; }
    bool executed() const { return launch_->executed; }
    bool ended() const { return ended_; }
    // Once ended: 0-255, 128 + n for a signal; or docker's 125, 126, 127 with error().
    int exit_code() const { return exit_code_; }
    const std::string& error() const { return launch_->error; }

    InputEnd input;
    std::array<OutputEnd, 2> outputs;  // stdout or the terminal; stderr
    Bell changed;

private:
    void make_launch();
    void release();
    void on_step(Launch::Step step);
    void conclude();
    void bury();

    asio::any_io_executor executor_;
    std::string id_;
    ExecRequest request_;
    WallTime began_ = std::chrono::system_clock::now();
    runtime::Handshake handshake_;
    std::shared_ptr<Launch> launch_;
    KeeperLink& keeper_;
    keeper::Key key_;
    std::function<void()> gone_;
    bool held_ = false;
    bool has_client_ = false;
    bool abandoned_ = false;
    bool ended_ = false;
    bool told_ = false;
    int exit_code_ = 0;
};

}  // namespace mydocker::supervisor
