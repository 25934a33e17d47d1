// See process.hpp.
#include "tests/system/process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/system/harness.hpp"

namespace mydocker::tests {

pid_t spawn(const std::function<int()>& main, int in, int out, int err) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    ::close_range(3, ~0U, 0);
    ::_exit(main());
}

pid_t spawn(const std::vector<std::string>& command, int in, int out, int err) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const auto execute = [&] {
        ::execvp(arguments[0], arguments.data());
        return 127;
    };
    return spawn(execute, in, out, err);
}

int shell_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Process::Process(const std::vector<std::string>& command, const std::string& input)
    : in_(std::tmpfile()), out_(std::tmpfile()), err_(std::tmpfile()) {
    std::fwrite(input.data(), 1, input.size(), in_);
    std::rewind(in_);
    pid_ = spawn(command, ::fileno(in_), ::fileno(out_), ::fileno(err_));
}

Process::Process(const std::function<int()>& main)
    : in_(std::tmpfile()), out_(std::tmpfile()), err_(std::tmpfile()) {
    pid_ = spawn(main, ::fileno(in_), ::fileno(out_), ::fileno(err_));
}

Process::~Process() {
    if (!status_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    for (std::FILE* file : {in_, out_, err_}) std::fclose(file);
}

void Process::signal(int number) const {
    if (!status_) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
    if (status_) return status_;
    int status = 0;
    if (eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, patience))
        status_ = shell_status(status);
    return status_;
}

std::string Process::printed(std::FILE* file) {
    // By position: the program shares this description and its offset.
    std::string text;
    char buffer[65536];
    for (ssize_t count = 0; (count = ::pread(::fileno(file), buffer, sizeof buffer,
                                             static_cast<off_t>(text.size()))) > 0;)
        text.append(buffer, static_cast<std::size_t>(count));
    return text;
}

}  // namespace mydocker::tests
