// See daemon.hpp.
#include "tools/bench/daemon.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace mydocker::bench {

namespace fs = std::filesystem;

namespace {

// The number after `key` in a file of "Key:   number" lines.
std::uint64_t field(const fs::path& path, const std::string& key) {
    std::ifstream in(path);
    for (std::string word; in >> word;)
        if (std::uint64_t value = 0; word == key && in >> value) return value;
    throw std::runtime_error("there is no " + key + " in " + path.string());
}

fs::path process(pid_t pid) { return fs::path("/proc") / std::to_string(pid); }

}  // namespace

Connection::Connection(fs::path socket) : path_(std::move(socket)) { open(); }

Connection::~Connection() { ::close(fd_); }

void Connection::open() {
    if (fd_ >= 0) ::close(fd_);
    buffer_.clear();
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        throw std::system_error(errno, std::generic_category(), "connect to " + path_.string());
}

void Connection::send(const std::string& request) {
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        throw std::system_error(errno, std::generic_category(), "send a request to mydockerd");
}

std::string Connection::receive() {
    constexpr std::string_view length_key = "Content-Length: ";
    std::size_t head = std::string::npos;
    std::size_t length = 0;
    while ((head = buffer_.find("\r\n\r\n")) == std::string::npos ||
           buffer_.size() < head + 4 + length) {
        char chunk[65536];
        const ssize_t count = ::recv(fd_, chunk, sizeof chunk, 0);
        if (count <= 0) throw std::runtime_error("mydockerd hung up: " + buffer_);
        buffer_.append(chunk, static_cast<std::size_t>(count));
        const std::size_t at = buffer_.find(length_key);
        if (at != std::string::npos) length = std::stoul(buffer_.substr(at + length_key.size()));
    }
    const bool closes = buffer_.substr(0, head).find("Connection: close") != std::string::npos;
    const std::string body = buffer_.substr(head + 4, length);
    const bool good = buffer_.starts_with("HTTP/1.1 2");
    buffer_.erase(0, head + 4 + length);
    if (closes) open();
    if (!good) throw std::runtime_error("mydockerd: " + body);
    return body;
}

std::string post(const std::string& path, const std::string& body) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: bench\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n";
}

Daemon::Daemon(const Scene& scene, unsigned width) : directory_(scene.scratch() / "daemon") {
    fs::create_directory(directory_);
    const fs::path config = directory_ / "host.toml";
    std::ofstream(config) << "version = 1\n[daemon]\nlimits = \"best-effort\"\ncgroup_parent = \""
                          << scene.parent_name() << "\"\nmax_concurrent_starts = " << width << "\n";
    const std::string path = program("mydockerd");
    const std::string state = directory_ / "run";
    const std::string data = directory_ / "data";
    const std::string log = directory_ / "log";
    keeper_ = ::fork();
    if (keeper_ == 0) {
        const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(file, 1);
        ::dup2(file, 2);
        ::execl(path.c_str(), "mydockerd", "--config", config.c_str(), "--state-dir", state.c_str(),
                "--data-root", data.c_str(), nullptr);
        ::_exit(127);
    }
    for (int patience = 0; patience < 500; ++patience) {
        try {
            pid_ = ask(get("/v1/version")).at("pid");
            return;
        } catch (const std::system_error&) {
            if (::waitpid(keeper_, nullptr, WNOHANG) == keeper_) break;
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }
    std::ifstream in(log);
    throw std::runtime_error("mydockerd did not start: " +
                             std::string(std::istreambuf_iterator<char>(in), {}));
}

Daemon::~Daemon() {
    ::kill(keeper_, SIGTERM);
    ::waitpid(keeper_, nullptr, 0);
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

fs::path Daemon::socket() const { return directory_ / "run" / "mydockerd.sock"; }

nlohmann::json Daemon::ask(const std::string& request) {
    Connection connection(socket());
    connection.send(request);
    return nlohmann::json::parse(connection.receive(), nullptr, false);
}

void Daemon::create(const std::string& name, const nlohmann::json& container) {
    const nlohmann::json body = {{"name", name}, {"container", container}};
    ask(post("/v1/containers", body.dump()));
}

pid_t Daemon::zygote() const {
    const fs::path children = process(pid_) / "task" / std::to_string(pid_) / "children";
    std::ifstream in(children);
    for (pid_t child = 0; in >> child;) {
        // "/memfd:mydocker-init (deleted)": it runs a sealed copy.
        std::error_code gone;
        const std::string program = fs::read_symlink(process(child) / "exe", gone);
        if (program.find("mydocker-init") != std::string::npos) return child;
    }
    throw std::runtime_error("mydockerd has no zygote");
}

std::uint64_t pss(pid_t pid) { return field(process(pid) / "smaps_rollup", "Pss:") * 1024; }

std::uint64_t switches(pid_t pid) {
    return field(process(pid) / "status", "voluntary_ctxt_switches:") +
           field(process(pid) / "status", "nonvoluntary_ctxt_switches:");
}

}  // namespace mydocker::bench
