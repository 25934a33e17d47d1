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

#include "tests/system/host_view.hpp"
#include "tests/system/process.hpp"
#include "tools/ctl/program.hpp"

namespace mydocker::tests {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

// All that comes back for these bytes on a connection of their own. `shut`: our side of it ends
// with them; a long request would take that for our going away.
std::string exchange(const fs::path& socket, const std::string& bytes,
                     std::chrono::milliseconds patience, bool shut) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
    std::string answer;
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
        ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (shut) ::shutdown(fd, SHUT_WR);
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

// The content of a chunked body, RFC 9112 7.1.
std::string from_chunks(const std::string& body) {
    std::string content;
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t size = std::stoul(body.substr(at, 16), nullptr, 16);
        at = body.find("\r\n", at) + 2;
        content += body.substr(at, size);
        at += size + 2;
    }
    return content;
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

namespace {

Result result_of(Process& process, std::chrono::milliseconds patience) {
    const auto status = process.wait(patience);
    if (!status) {
        process.signal(SIGKILL);
        process.wait();
    }
    return {status.value_or(124), process.out(), process.err()};
}

}  // namespace

Result run(const std::vector<std::string>& command, const std::string& input,
           std::chrono::milliseconds patience) {
    Process process(command, input);
    return result_of(process, patience);
}

Daemon::Daemon(const std::string& toml, const std::vector<std::string>& more_arguments,
               const std::string& name) {
    // On tmpfs in the VM: overlayfs cannot be the upper layer of overlayfs.
    char pattern[] = "/run/mydocker-test-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(pattern) != nullptr);
    directory_ = pattern;
    command_ = {program(name), "--state-dir",       directory_ / "run",
                "--data-root", directory_ / "data", "--log-level",
                "debug"};
    if (!toml.empty()) {
        write_host_file(toml);
        command_.insert(command_.end(), {"--config", directory_ / "host.toml"});
    }
    command_.insert(command_.end(), more_arguments.begin(), more_arguments.end());
    start();
}

void Daemon::start() {
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int log = ::open((directory_ / "mydockerd.log").c_str(),
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    keeper_ = spawn(command_, nothing, log, log);
    stopped_ = false;
    ::close(nothing);
    ::close(log);
    const bool ready =
        eventually([&] { return api("GET", "/v1/version").status == 200 || !alive(); }) && alive();
    BOOST_REQUIRE_MESSAGE(ready, "mydockerd did not become ready:\n" << this->log());
}

Daemon::~Daemon() {
    if (!stopped_) {
        const fs::path cgroup = this->cgroup();
        BOOST_CHECK_EQUAL(stop(), 0);
        // Where a subtree was delegated to us, its root and our own leaf stay.
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(cgroup, none))
            BOOST_CHECK_MESSAGE(!entry.is_directory() || entry.path().filename() == "supervisor",
                                entry.path() << " is left behind");
    }
    if (boost::unit_test::results_collector
            .results(boost::unit_test::framework::current_test_case().p_id)
            .p_assertions_failed != 0)
        BOOST_TEST_MESSAGE("mydockerd said:\n" << log());
    std::error_code error;
    fs::remove_all(directory_, error);
}

std::vector<std::string> Daemon::ctl_command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {program("mydocker-ctl"), "-H", socket()});
    return arguments;
}

Result Daemon::ctl(std::vector<std::string> arguments, std::chrono::milliseconds patience) const {
    arguments.insert(arguments.begin(), {"-H", socket()});
    Process process([&] { return ctl::run_program(arguments); });
    return result_of(process, patience);
}

nlohmann::json Daemon::answer_to(const std::string& path) const {
    const Reply reply = api("GET", path);
    const auto parsed = nlohmann::json::parse(reply.body, nullptr, false);
    return reply.status == 200 && parsed.is_object() ? parsed : nlohmann::json::object();
}

nlohmann::json Daemon::inspect(const std::string& container) const {
    // Not by a mydocker-ctl: tests ask often, and in the VM a program's start is dear.
    return answer_to("/v1/containers/" + container);
}

std::string Daemon::state(const std::string& container) const {
    return inspect(container).value("state", "");
}

bool Daemon::reaches(const std::string& container, const std::string& wanted,
                     std::chrono::milliseconds patience) const {
    return eventually([&] { return state(container) == wanted; }, patience);
}

bool Daemon::heeds(const std::string& container, int signal) const {
    return eventually([&] {
        const pid_t init = inspect(container).value("pid", 0);
        for (const char* key : {"SigIgn", "SigCgt"}) {
            const std::string mask = init > 0 ? status_field(init, key) : "";
            if (!mask.empty() && (std::stoull(mask, nullptr, 16) >> (signal - 1) & 1) != 0)
                return true;
        }
        return false;
    });
}

std::string Daemon::cgroup_file(const std::string& container, const std::string& file) const {
    std::string text = read_file(fs::path(inspect(container).value("cgroup", "")) / file);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

std::string Daemon::raw(const std::string& bytes, std::chrono::milliseconds patience) const {
    return exchange(socket(), bytes, patience, true);
}

Daemon::Reply Daemon::api(const std::string& method, const std::string& path,
                          const std::string& body, std::chrono::milliseconds patience) const {
    const std::string request =
        method + " " + path + " HTTP/1.1\r\nHost: test\r\n" +
        "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    const std::string answer = exchange(socket(), request, patience, false);
    const std::size_t head = answer.find("\r\n\r\n");
    constexpr std::size_t status_at = sizeof "HTTP/1.1";
    if (head == std::string::npos) return {};
    const int status = std::stoi(answer.substr(status_at));
    const std::string content = answer.substr(head + 4);
    const bool chunked = answer.find("Transfer-Encoding: chunked") < head;
    return {status, chunked ? from_chunks(content) : content};
}

fs::path Daemon::cgroup() const { return answer_to("/v1/info").value("cgroup", ""); }

void Daemon::write_host_file(const std::string& toml) const {
    std::ofstream(directory_ / "host.toml") << toml;
}

std::size_t Daemon::open_descriptors() const {
    const auto entries = fs::directory_iterator("/proc/" + std::to_string(pid()) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

std::size_t Daemon::rss_kib() const {
    for (const std::string& line :
         lines_of(read_file("/proc/" + std::to_string(pid()) + "/status")))
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
    return 0;
}

bool Daemon::alive() const {
    const std::string state = status_field(keeper_, "State");
    return !state.empty() && !state.starts_with("Z");
}

std::optional<int> Daemon::ended(std::chrono::milliseconds patience) {
    if (!eventually([&] { return !alive(); }, patience)) return std::nullopt;
    stopped_ = true;
    int status = 0;
    if (::waitpid(keeper_, &status, 0) == keeper_) return shell_status(status);
    return contains(log(), "mydockerd has stopped") ? 0 : 1;  // not our child: follow_keeper()
}

int Daemon::stop() {
    ::kill(keeper_, SIGTERM);
    if (const auto status = ended(90s)) return *status;
    vanish();
    return 124;
}

std::vector<pid_t> Daemon::pids() const {
    std::vector<pid_t> found;
    for (const pid_t child : children_of(keeper_))
        if (executable_of(child).filename().string().starts_with("mydockerd"))
            found.push_back(child);
    return found;
}

pid_t Daemon::pid() const {
    const std::vector<pid_t> found = pids();
    return found.empty() ? -1 : found.front();
}

void Daemon::crash() {
    const pid_t before = pid();
    BOOST_REQUIRE_GT(before, 0);
    ::kill(before, SIGKILL);
    const bool back = eventually([&] {
        const auto version = answer_to("/v1/version");
        return version.value("pid", before) != before || !alive();
    });
    BOOST_REQUIRE_MESSAGE(back && alive(), "no mydockerd came after it:\n" << log());
}

void Daemon::follow_keeper(pid_t keeper) {
    ::waitpid(keeper_, nullptr, 0);
    keeper_ = keeper;
}

void Daemon::vanish() {
    const pid_t child = pid();
    ::kill(keeper_, SIGSTOP);  // so that it starts no other
    if (child > 0) ::kill(child, SIGKILL);
    ::kill(keeper_, SIGKILL);
    ::waitpid(keeper_, nullptr, 0);
    // Somebody else's zombie by then, if it has not been reaped.
    eventually([&] {
        const std::string state = status_field(child, "State");
        return state.empty() || state.starts_with("Z");
    });
    stopped_ = true;
}

}  // namespace mydocker::tests
