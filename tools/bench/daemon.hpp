// The mydockerd that is measured: started with its own directories and cgroup, driven over its
// socket as any client would, looked at in /proc.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/bench/scene.hpp"

namespace mydocker::bench {

// One connection of the control API, kept open from request to request.
class Connection {
public:
    explicit Connection(std::filesystem::path socket);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void send(const std::string& request);
    // Blocks for the whole answer; opens the connection anew where the other side closes it. Throws
    // with the answer's text where its status is no 2xx.
    std::string receive();
    int fd() const { return fd_; }

private:
    void open();

    std::filesystem::path path_;
    int fd_ = -1;
    std::string buffer_;
};

std::string post(const std::string& path, const std::string& body = "");
std::string get(const std::string& path);

class Daemon {
public:
    // `width`: max_concurrent_starts.
    Daemon(const Scene& scene, unsigned width);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    std::filesystem::path socket() const;
    nlohmann::json ask(const std::string& request);
    void create(const std::string& name, const nlohmann::json& container);

    pid_t pid() const { return pid_; }
    pid_t keeper() const { return keeper_; }
    pid_t zygote() const;

private:
    std::filesystem::path directory_;
    pid_t keeper_ = -1;
    pid_t pid_ = -1;  // of mydockerd
};

// Proportional set size in bytes, /proc/PID/smaps_rollup.
std::uint64_t pss(pid_t pid);
// Voluntary and other context switches since the process began.
std::uint64_t switches(pid_t pid);

}  // namespace mydocker::bench
