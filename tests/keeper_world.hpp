// A running keeper for its tests, and the fake mydockerds that it starts: each connects and does as
// it is told. Every wait ends after `patience`.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/error.hpp"
#include "runtime/keeper_socket.hpp"
#include "tests/scratch.hpp"

namespace mydocker::tests {

inline constexpr std::chrono::seconds patience{30};

inline bool eventually(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

inline std::string stat_of(pid_t pid) { return contents("/proc/" + std::to_string(pid) + "/stat"); }
inline bool is_gone(pid_t pid) { return stat_of(pid).empty(); }

// The state, and the last field: the exit status that waitpid(2) would tell (proc_pid_stat(5)).
inline bool is_zombie_with(pid_t pid, int status) {
    const std::string stat = stat_of(pid);
    const std::size_t name_end = stat.rfind(')');
    return name_end != std::string::npos && stat[name_end + 2] == 'Z' &&
           std::stoi(stat.substr(stat.rfind(' '))) == status;
}

inline ino_t file_run_by(pid_t pid) {
    struct stat status {};
    BOOST_REQUIRE(::stat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &status) == 0);
    return status.st_ino;
}

inline ino_t number_of(const std::filesystem::path& path) {
    struct stat status {};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_ino;
}

// Standard streams, the signalfd and its copy in descriptor 3, mydockerd's pidfd and socket.
inline constexpr std::size_t own_files = 7;

inline std::size_t open_files(pid_t pid) {
    const std::filesystem::directory_iterator fds("/proc/" + std::to_string(pid) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(fds), end(fds)));
}

// And the keeper's own; another one may be open for the moment of a word to the service manager.
inline bool comes_to_hold(pid_t pid, std::size_t descriptors) {
    return eventually([&] { return open_files(pid) == own_files + descriptors; });
}

// One fake mydockerd.
class Fake {
public:
    explicit Fake(runtime::UniqueFd control) : control_(std::move(control)) {
        const std::string said = hear();  // PID KEEPER
        pid = std::stoi(said);
        keeper = std::stoi(said.substr(said.find(' ')));
    }
    std::string tell(const std::string& command) {
        order(command);
        return hear();
    }
    // One that it does not live to answer.
    void order(const std::string& command) {
        BOOST_REQUIRE(::send(control_.get(), command.data(), command.size(), MSG_NOSIGNAL) > 0);
    }

    pid_t pid = 0;
    pid_t keeper = 0;

private:
    std::string hear() {
        pollfd readable{control_.get(), POLLIN, 0};
        BOOST_REQUIRE(::poll(&readable, 1, 30'000) == 1);
        char buffer[256];
        const ssize_t size = ::recv(control_.get(), buffer, sizeof buffer, 0);
        BOOST_REQUIRE(size > 0);
        return {buffer, static_cast<std::size_t>(size)};
    }

    runtime::UniqueFd control_;
};

// A keeper's program whose file can be another one meanwhile.
class KeeperProgram {
public:
    KeeperProgram() { std::filesystem::copy_file(MYDOCKER_KEEPER, path()); }
    std::filesystem::path path() const { return files_ / "mydocker-keeper"; }
    void renew() const {
        std::filesystem::copy_file(MYDOCKER_KEEPER, files_ / "new");
        std::filesystem::rename(files_ / "new", path());
    }

private:
    Scratch files_;
};

class KeeperWorld {
public:
    // `arguments` of the fake; without any, it connects to us.
    explicit KeeperWorld(std::string program = MYDOCKER_KEEPER,
                         std::vector<std::string> arguments = {},
                         std::string fake = MYDOCKER_KEEPER_FAKE,
                         std::vector<std::string> environment = {}) {
        const std::string path = scratch / "control";
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        BOOST_REQUIRE(
            ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        BOOST_REQUIRE(::listen(listener_.get(), 8) == 0);
        if (arguments.empty()) arguments = {path};
        pid = ::fork();
        BOOST_REQUIRE(pid >= 0);
        environment.insert(environment.end(), {"A=1", "MYDOCKER_KEEPER=1"});
        if (pid == 0) become(program, fake, arguments, environment);
    }
    // The fakes end with their connections.
    ~KeeperWorld() {
        for (const pid_t child : children) ::kill(child, SIGKILL);
        if (pid == 0) return;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    KeeperWorld(const KeeperWorld&) = delete;
    KeeperWorld& operator=(const KeeperWorld&) = delete;

    Fake next() {
        pollfd readable{listener_.get(), POLLIN, 0};
        BOOST_REQUIRE_MESSAGE(::poll(&readable, 1, 30'000) == 1, "none came; " << said());
        return Fake(runtime::UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    }

    pid_t spawn(Fake& fake, int number, int code) {
        const pid_t child =
            std::stoi(fake.tell("spawn " + std::to_string(number) + " " + std::to_string(code)));
        children.push_back(child);
        return child;
    }

    // As waitpid(2) has it; -1: it still runs.
    int end() {
        int status = -1;
        if (!eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; })) return -1;
        pid = 0;
        return status;
    }

    std::string said() const { return contents(scratch / "stderr"); }
    bool says(const std::string& text) const {
        return eventually([&] { return said().find(text) != std::string::npos; });
    }

    Scratch scratch;
    pid_t pid = 0;
    std::vector<pid_t> children;  // pids that no test has seen go; killed at the end

private:
    // As mydockerd does at its first start. What it holds for itself is one pipe.
    [[noreturn]] void become(const std::string& program, const std::string& fake,
                             const std::vector<std::string>& arguments,
                             const std::vector<std::string>& environment) {
        try {
            const std::string errors = scratch / "stderr";
            ::dup2(runtime::must(::open(errors.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600),
                                 "open " + errors),
                   2);
            runtime::KeeperPair pair = runtime::make_keeper_pair();
            const runtime::Pipe pipe = runtime::make_pipe();
            runtime::must(::write(pipe.write.get(), "own", 3), "write");
            const int fd = pipe.read.get();
            runtime::KeeperSocket(std::move(pair.ours))
                .send(runtime::keeper_message(keeper::Verb::hold, {}, 1U << keeper::role_output),
                      std::span(&fd, 1));
            runtime::become_keeper(program, fake, arguments, pair.theirs, environment);
        } catch (const std::exception&) {
            ::_exit(98);
        }
    }

    runtime::UniqueFd listener_;
};

}  // namespace mydocker::tests
