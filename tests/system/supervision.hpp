// What the tests of supervision need beside the harness: a program whose exec waits for the test,
// what the event stream has told, and the daemon's own times.
#pragma once

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/system/harness.hpp"

namespace mydocker::tests {

// A shell script whose execve(2) blocks until it is let go: the test holds a write lease on it
// (fcntl(2), F_SETLEASE), which the kernel breaks for no one sooner than 45 s. As long as that, its
// container is starting.
class BlockedProgram {
public:
    // `script` is run by /bin/sh. Made in a new directory, for the volume `volume()`.
    explicit BlockedProgram(const std::string& script = "exec sleep 1000");
    ~BlockedProgram();
    BlockedProgram(const BlockedProgram&) = delete;
    BlockedProgram& operator=(const BlockedProgram&) = delete;

    std::string keys() const;  // of a container that runs it: `command` and `volumes`
    bool is_awaited() const;   // somebody is blocked in its execve
    void let_go();

private:
    std::filesystem::path directory_;
    int fd_ = -1;
};

// One JSON object a line, as `--format json` prints lists.
std::vector<nlohmann::json> json_lines(const std::string& text);

// All containers, as `ps -a` knows them.
std::vector<nlohmann::json> list(const Daemon& daemon);

// All events so far, or those of one container.
std::vector<nlohmann::json> events(const Daemon& daemon, const std::string& container = "");
// "queued starting running": the states that a container went through.
std::string states(const Daemon& daemon, const std::string& container);

// RFC 3339 with nanoseconds, as the control API tells times.
std::chrono::nanoseconds since_epoch(const std::string& time);

double seconds_since(std::chrono::steady_clock::time_point begin);

std::string toml_string(const std::string& text);  // quoted and escaped

// A new directory on the VM's tmpfs, gone with this object.
class Directory {
public:
    Directory();
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

// For a test that has a longer form; `otherwise` in its short one.
int number_from_environment(const char* name, int otherwise);

void write_file(const std::filesystem::path& path, const std::string& text);

// The next mydockerd-failpoints to pass `name` dies there; the file is what MYDOCKER_FAILPOINT
// says.
void arm(const std::filesystem::path& file, const std::string& name);

}  // namespace mydocker::tests
