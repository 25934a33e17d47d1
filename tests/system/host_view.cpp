// See host_view.hpp.
#include "tests/system/host_view.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include "tests/system/harness.hpp"

namespace mydocker::tests {

namespace fs = std::filesystem;

namespace {

std::multimap<pid_t, pid_t> family() {
    std::multimap<pid_t, pid_t> children;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{})
            continue;
        // The command's name stands in brackets and may itself hold some: proc_pid_stat(5).
        const std::string stat = read_file(entry.path() / "stat");
        const std::size_t bracket = stat.rfind(')');
        if (bracket == std::string::npos) continue;
        std::istringstream fields(stat.substr(bracket + 1));
        std::string state;
        pid_t parent = 0;
        if (fields >> state >> parent) children.emplace(parent, pid);
    }
    return children;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> found;
    const auto all = family();
    for (auto [at, end] = all.equal_range(parent); at != end; ++at) found.push_back(at->second);
    std::ranges::sort(found);
    return found;
}

std::vector<pid_t> descendants_of(pid_t ancestor) {
    const auto all = family();
    std::vector<pid_t> found{ancestor};
    for (std::size_t i = 0; i < found.size(); ++i)
        for (auto [at, end] = all.equal_range(found[i]); at != end; ++at)
            found.push_back(at->second);
    found.erase(found.begin());
    std::ranges::sort(found);
    return found;
}

std::string field_of(const std::string& status, const std::string& key) {
    for (const std::string& line : lines_of(status)) {
        if (!line.starts_with(key + ":")) continue;
        const std::size_t value = line.find_first_not_of(" \t", key.size() + 1);
        return value == std::string::npos ? "" : line.substr(value);
    }
    return "";
}

std::string status_field(pid_t pid, const std::string& key) {
    return field_of(read_file("/proc/" + std::to_string(pid) + "/status"), key);
}

std::string link_text(const fs::path& link) {
    std::error_code error;
    return fs::read_symlink(link, error);
}

fs::path executable_of(pid_t pid) { return link_text("/proc/" + std::to_string(pid) + "/exe"); }

std::string host_mounts() { return read_file("/proc/self/mountinfo"); }

std::vector<pid_t> processes_in(const fs::path& cgroup) {
    std::vector<pid_t> found;
    for (const std::string& line : lines_of(read_file(cgroup / "cgroup.procs")))
        found.push_back(std::stoi(line));
    std::ranges::sort(found);
    return found;
}

std::vector<std::string> cgroups_below(const fs::path& parent) {
    std::vector<std::string> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(parent, error))
        if (entry.is_directory()) found.push_back(entry.path().filename());
    std::ranges::sort(found);
    return found;
}

unsigned long long flat_value_of(const std::string& text, const std::string& key) {
    for (const std::string& line : lines_of(text))
        if (line.starts_with(key + " ")) return std::stoull(line.substr(key.size() + 1));
    return 0;
}

void make_rootfs(const fs::path& directory) {
    fs::create_directories(directory / "usr");
    fs::create_directories(directory / "etc");
    for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
        const fs::path host = fs::path("/") / name;
        if (fs::is_symlink(host)) fs::copy_symlink(host, directory / name);
    }
}

}  // namespace mydocker::tests
