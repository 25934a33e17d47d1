// A program of a test that runs beside it: a client that follows a log, a `run` in the foreground,
// a second mydockerd.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mydocker::tests {

// The three descriptors become the program's standard ones; it has no others.
pid_t spawn(const std::vector<std::string>& command, int in, int out, int err);
// The same for a main() of our own in a forked child, which is what it answers with.
pid_t spawn(const std::function<int()>& main, int in, int out, int err);

int shell_status(int status);  // waitpid(2)'s, as a shell tells it: 128 + n for a signal

// Killed with this object. What it prints goes to files, so it never waits for us to read.
class Process {
public:
    explicit Process(const std::vector<std::string>& command, const std::string& input = "");
    explicit Process(const std::function<int()>& main);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;
    // Its exit status; nullopt when it still runs after that time.
    std::optional<int> wait(std::chrono::milliseconds patience = std::chrono::seconds{60});
    bool running() { return !wait(std::chrono::milliseconds{0}); }
    // All that it has printed so far.
    std::string out() const { return printed(out_); }
    std::string err() const { return printed(err_); }

private:
    static std::string printed(std::FILE* file);

    std::FILE* in_;
    std::FILE* out_;
    std::FILE* err_;
    pid_t pid_;
    std::optional<int> status_;
};

}  // namespace mydocker::tests
