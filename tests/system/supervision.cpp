// See supervision.hpp.
#include "tests/system/supervision.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace mydocker::tests {

namespace fs = std::filesystem;

BlockedProgram::BlockedProgram(const std::string& script) {
    char pattern[] = "/run/mydocker-blocked-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(pattern) != nullptr);
    directory_ = pattern;
    const fs::path path = directory_ / "program";
    write_file(path, "#!/bin/sh\n" + script + "\n");
    ::chmod(path.c_str(), 0755);
    ::signal(SIGIO, SIG_IGN);  // how the kernel says that somebody waits; is_awaited() asks
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    BOOST_REQUIRE(::fcntl(fd_, F_SETLEASE, F_WRLCK) == 0);
}

BlockedProgram::~BlockedProgram() {
    ::close(fd_);
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

std::string BlockedProgram::keys() const {
    return "command = [\"/blocked/program\"]\nvolumes = [\"" + directory_.string() +
           ":/blocked:ro\"]\n";
}

bool BlockedProgram::is_awaited() const { return ::fcntl(fd_, F_GETLEASE) != F_WRLCK; }

void BlockedProgram::let_go() { ::fcntl(fd_, F_SETLEASE, F_UNLCK); }

std::vector<nlohmann::json> json_lines(const std::string& text) {
    std::vector<nlohmann::json> all;
    for (const std::string& line : lines_of(text)) all.push_back(nlohmann::json::parse(line));
    return all;
}

std::vector<nlohmann::json> list(const Daemon& daemon) {
    return nlohmann::json::parse(daemon.api("GET", "/v1/containers?all=1").body);
}

std::vector<nlohmann::json> events(const Daemon& daemon, const std::string& container) {
    return json_lines(daemon.api("GET", "/v1/events?container=" + container).body);
}

std::string states(const Daemon& daemon, const std::string& container) {
    std::string text;
    for (const auto& event : events(daemon, container))
        if (event.at("type") == "state")
            text += (text.empty() ? "" : " ") + event.at("state").get<std::string>();
    return text;
}

std::chrono::nanoseconds since_epoch(const std::string& time) {
    BOOST_REQUIRE_EQUAL(time.size(), std::string("2026-01-31T12:00:00.123456789Z").size());
    std::tm parts{};
    ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    return std::chrono::seconds{::timegm(&parts)} +
           std::chrono::nanoseconds{std::stoll(time.substr(20, 9))};
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string toml_string(const std::string& text) { return nlohmann::json(text).dump(); }

Directory::Directory() {
    char pattern[] = "/run/mydocker-scratch-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(pattern) != nullptr);
    path_ = pattern;
}

Directory::~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

int number_from_environment(const char* name, int otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr ? otherwise : std::atoi(value);
}

void write_file(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

void arm(const fs::path& file, const std::string& name) {
    const fs::path whole = file.string() + ".new";
    write_file(whole, name + "\n");
    fs::rename(whole, file);
}

}  // namespace mydocker::tests
