// See harness.hpp.
#include "tests/system/harness.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/framework.hpp>
#include <boost/test/results_collector.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace mydocker::tests {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

int shell_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

pid_t start(const std::vector<std::string>& command, int in, int out, int err) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    ::close_range(3, ~0U, 0);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
}

}  // namespace

fs::path program(const std::string& name) {
    return fs::read_symlink("/proc/self/exe").parent_path() / name;
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

bool eventually(const std::function<bool()>& question, std::chrono::milliseconds patience) {
    const auto deadline = Clock::now() + patience;
    while (!question()) {
        if (Clock::now() > deadline) return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

Result run(const std::vector<std::string>& command, const std::string& input,
           std::chrono::milliseconds patience) {
    // Files, not pipes: whatever the program leaves running cannot hold this up.
    FILE* in = std::tmpfile();
    FILE* out = std::tmpfile();
    FILE* err = std::tmpfile();
    std::fwrite(input.data(), 1, input.size(), in);
    std::rewind(in);
    const pid_t pid = start(command, ::fileno(in), ::fileno(out), ::fileno(err));
    Result result;
    int status = 0;
    const bool ended =
        eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }, patience);
    if (!ended) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, &status, 0);
    }
    result.status = ended ? shell_status(status) : 124;
    for (auto [file, text] : {std::pair{out, &result.out}, std::pair{err, &result.err}}) {
        std::rewind(file);
        char buffer[65536];
        for (std::size_t count = 0; (count = std::fread(buffer, 1, sizeof buffer, file)) > 0;)
            text->append(buffer, count);
        std::fclose(file);
    }
    std::fclose(in);
    return result;
}

Daemon::Daemon(const std::string& toml, const std::vector<std::string>& more_arguments) {
    // On tmpfs in the VM: overlayfs cannot be the upper layer of overlayfs.
    char pattern[] = "/run/mydocker-test-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(pattern) != nullptr);
    directory_ = pattern;
    std::vector<std::string> command{
        program("mydockerd"), "--state-dir", directory_ / "run", "--data-root", directory_ / "data",
        "--log-level",        "debug"};
    if (!toml.empty()) {
        write_host_file(toml);
        command.insert(command.end(), {"--config", directory_ / "host.toml"});
    }
    command.insert(command.end(), more_arguments.begin(), more_arguments.end());
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int log = ::open((directory_ / "mydockerd.log").c_str(),
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_ = start(command, nothing, log, log);
    ::close(nothing);
    ::close(log);
    BOOST_REQUIRE_MESSAGE(
        eventually([&] { return ctl({"version"}).status == 0 || !alive(); }) && alive(),
        "mydockerd did not become ready:\n"
            << this->log());
}

Daemon::~Daemon() {
    if (!stopped_) BOOST_CHECK_EQUAL(stop(), 0);
    if (boost::unit_test::results_collector
            .results(boost::unit_test::framework::current_test_case().p_id)
            .p_assertions_failed != 0)
        BOOST_TEST_MESSAGE("mydockerd said:\n" << log());
    std::error_code error;
    fs::remove_all(directory_, error);
}

Result Daemon::ctl(std::vector<std::string> arguments, std::chrono::milliseconds patience) const {
    std::vector<std::string> command{program("mydocker-ctl"), "-H", socket()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command, "", patience);
}

nlohmann::json Daemon::inspect(const std::string& container) const {
    const Result result = ctl({"inspect", container});
    const auto parsed = nlohmann::json::parse(result.out, nullptr, false);
    return parsed.is_array() && !parsed.empty() ? parsed[0] : nlohmann::json::object();
}

std::string Daemon::state(const std::string& container) const {
    return inspect(container).value("state", "");
}

bool Daemon::reaches(const std::string& container, const std::string& wanted,
                     std::chrono::milliseconds patience) const {
    return eventually([&] { return state(container) == wanted; }, patience);
}

std::string Daemon::cgroup_file(const std::string& container, const std::string& file) const {
    std::string text = read_file(fs::path(inspect(container).value("cgroup", "")) / file);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

std::string Daemon::raw(const std::string& bytes, std::chrono::milliseconds patience) const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket().string().copy(address.sun_path, sizeof address.sun_path - 1);
    std::string answer;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        ::shutdown(fd, SHUT_WR);
        const auto deadline = Clock::now() + patience;
        pollfd wait{fd, POLLIN, 0};
        char buffer[65536];
        while (Clock::now() < deadline && ::poll(&wait, 1, 100) >= 0) {
            if (wait.revents == 0) continue;
            const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
            if (count <= 0) break;
            answer.append(buffer, static_cast<std::size_t>(count));
        }
    }
    ::close(fd);
    return answer;
}

fs::path Daemon::cgroup() const {
    const auto info =
        nlohmann::json::parse(ctl({"daemon", "info", "--format", "json"}).out, nullptr, false);
    return info.is_object() ? info.value("cgroup", "") : "";
}

void Daemon::write_host_file(const std::string& toml) const {
    std::ofstream(directory_ / "host.toml") << toml;
}

std::size_t Daemon::open_descriptors() const {
    const auto entries = fs::directory_iterator("/proc/" + std::to_string(pid_) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

std::size_t Daemon::rss_kib() const {
    for (const std::string& line : lines_of(read_file("/proc/" + std::to_string(pid_) + "/status")))
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
    return 0;
}

bool Daemon::alive() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

int Daemon::stop() {
    stopped_ = true;
    ::kill(pid_, SIGTERM);
    int status = 0;
    if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, 90s)) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, &status, 0);
        return 124;
    }
    return shell_status(status);
}

}  // namespace mydocker::tests
