// What ends a command early, as exceptions: each carries the line for people and the exit code of
// docker run(1). Only program.cpp catches them; nothing here prints.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mydocker::ctl {

// A command that cannot be done. The daemon's own code is 125; a single container's failure is 1.
class Failure : public std::runtime_error {
public:
    explicit Failure(const std::string& message, int exit_code = 1)
        : std::runtime_error(message), exit_code_(exit_code) {}
    int exit_code() const { return exit_code_; }

private:
    int exit_code_;
};

// The command line makes no sense; the user is pointed at --help. Always exit code 125.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The same once it is known whose --help to recommend.
class CommandUsageError : public UsageError {
public:
    CommandUsageError(const std::string& message, std::string_view command)
        : UsageError(message), command_(command) {}
    const std::string& command() const { return command_; }

private:
    std::string command_;
};

// mydockerd answered with an error object; `problems` has a line for each thing wrong in a request.
class Refused : public Failure {
public:
    Refused(const std::string& message, int exit_code, int status,
            std::vector<std::string> problems)
        : Failure(message, exit_code), status_(status), problems_(std::move(problems)) {}
    int status() const { return status_; }
    const std::vector<std::string>& problems() const { return problems_; }

private:
    int status_;
    std::vector<std::string> problems_;
};

// Nobody listens at mydockerd's socket: ENOENT, ECONNREFUSED, or why else connect(2) failed.
class Unreachable : public Failure {
public:
    Unreachable(const std::string& message, int exit_code, int error)
        : Failure(message, exit_code), error_(error) {}
    int error() const { return error_; }

private:
    int error_;
};

// The connection ended before the answer did.
class Disconnected : public Failure {
public:
    Disconnected(const std::string& message, int exit_code, bool answer_had_begun)
        : Failure(message, exit_code), answer_had_begun_(answer_had_begun) {}
    bool answer_had_begun() const { return answer_had_begun_; }

private:
    bool answer_had_begun_;
};

// Whoever read our output has gone (`logs | head`): end quietly.
class ReaderGone : public std::exception {};

}  // namespace mydocker::ctl
