// What the system tests stand on: a real mydockerd of this build in scratch directories, the real
// mydocker-ctl, and the kernel's own files. Nothing is faked. Needs root and cgroup v2 with the
// controllers memory, cpu, cpuset and pids: tools/vm has them everywhere.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace mydocker::tests {

using namespace std::chrono_literals;

struct Result {
    int status = -1;  // the exit code; 128 + n for a signal
    std::string out;
    std::string err;
};

// Runs a program and collects what it prints. Killed after `patience`, status 124.
Result run(const std::vector<std::string>& command, const std::string& input = "",
           std::chrono::milliseconds patience = 60s);

// Asks again every few milliseconds until it is true or the time is up. The VM is slow: be
// generous.
bool eventually(const std::function<bool()>& question, std::chrono::milliseconds patience = 30s);

std::string read_file(const std::filesystem::path& path);  // "" where it cannot be read
inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}
std::vector<std::string> lines_of(const std::string& text);
std::filesystem::path program(const std::string& name);  // of this build: "mydockerd"

// A daemon of one test. Destroyed: SIGTERM, and the test fails if it does not end cleanly or leaves
// a cgroup behind.
class Daemon {
public:
    // `toml`: the host file without [daemon] paths, or "" for none. `name`: of its program.
    explicit Daemon(const std::string& toml = "",
                    const std::vector<std::string>& more_arguments = {},
                    const std::string& name = "mydockerd");
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    // For a Process: mydocker-ctl with these arguments.
    std::vector<std::string> ctl_command(std::vector<std::string> arguments) const;
    // mydocker-ctl but for its main(), in a forked child: a program's start, libraries and all,
    // takes most of a second in the VM.
    Result ctl(std::vector<std::string> arguments, std::chrono::milliseconds patience = 60s) const;
    nlohmann::json inspect(const std::string& container) const;
    std::string state(const std::string& container) const;  // "" where there is no such container
    bool reaches(const std::string& container, const std::string& state,
                 std::chrono::milliseconds patience = 30s) const;
    // Its pid 1 handles or ignores the signal: a shell that runs has not come to its trap yet.
    bool heeds(const std::string& container, int signal) const;
    // The container's cgroup file ("memory.max") as the kernel has it, without the last newline.
    std::string cgroup_file(const std::string& container, const std::string& file) const;
    // Sends these bytes down a new connection and returns all that comes back until the daemon
    // closes it or the time is up.
    std::string raw(const std::string& bytes, std::chrono::milliseconds patience = 15s) const;

    // One request of the control API on a connection of its own. May be called by many threads at
    // once.
    struct Reply {
        int status = 0;  // HTTP's; 0: no whole answer within the time
        std::string body;
    };
    Reply api(const std::string& method, const std::string& path, const std::string& body = "",
              std::chrono::milliseconds patience = 60s) const;

    // mydockerd's own, which its keeper may replace at any time; -1 while there is none.
    pid_t pid() const;
    std::vector<pid_t> pids() const;  // that, and the one that is to come in an upgrade
    pid_t keeper() const { return keeper_; }  // what a service manager would know
    std::filesystem::path socket() const { return directory_ / "run" / "mydockerd.sock"; }
    std::filesystem::path directory() const {
        return directory_;
    }                                                     // scratch; host.toml stands here
    std::filesystem::path cgroup() const;                 // the parent of all containers'
    void write_host_file(const std::string& toml) const;  // for a reload
    std::string log() const { return read_file(directory_ / "mydockerd.log"); }
    std::size_t open_descriptors() const;
    std::size_t rss_kib() const;
    void follow_keeper(pid_t keeper);  // it has taken the old one's place
    int stop();    // SIGTERM and wait; its exit status
    void crash();  // SIGKILL for mydockerd; returns when its successor answers
    void vanish();  // SIGKILL for the keeper and mydockerd at once: nobody is left
    void start();   // the same command line again, after stop() or vanish(); until it is ready
    std::optional<int> ended(std::chrono::milliseconds patience);  // by itself: its exit status
    bool alive() const;

private:
    nlohmann::json answer_to(const std::string& path) const;  // {} for anything but 200

    std::filesystem::path directory_;
    std::vector<std::string> command_;
    pid_t keeper_ = -1;
    bool stopped_ = false;
};

}  // namespace mydocker::tests
