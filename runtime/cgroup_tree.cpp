// See cgroup_tree.hpp.
#include "runtime/cgroup_tree.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "runtime/cgroup.hpp"
#include "runtime/error.hpp"
#include "runtime/kernel_file.hpp"

namespace mydocker::runtime {

namespace fs = std::filesystem;

namespace {

constexpr auto wanted_controllers = {"cpu", "cpuset", "io", "memory", "pids"};

std::set<std::string> words(const std::string& text) {
    std::istringstream in(text);
    std::set<std::string> result;
    for (std::string word; in >> word;) result.insert(word);
    return result;
}

std::string read_text(const fs::path& path) {
    return read_file_at(AT_FDCWD, path.c_str()).value_or("");
}

void write_text(const fs::path& path, const std::string& text) {
    write_file_at(AT_FDCWD, path.c_str(), text, "write \"" + text + "\" to " + path.string());
}

// The "0::/path" line of /proc/self/cgroup.
std::string own_cgroup() {
    std::istringstream in(read_text("/proc/self/cgroup"));
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("0::")) return line.substr(3);
    return "/";
}

bool delegated(const fs::path& cgroup) {
    char value[8];
    for (const char* name : {"user.delegate", "trusted.delegate"}) {
        const ssize_t size = ::getxattr(cgroup.c_str(), name, value, sizeof value);
        if (size == 1 && value[0] == '1') return true;
    }
    return false;
}

// Where this program and what belongs to it stand: an inner node must have no process (cgroups(7)).
constexpr auto leaf_name = "supervisor";

// What we have made, a mydockerd that was killed too, is ours to remove.
constexpr auto made_by_us = "user.mydocker";

// Every process of `from` goes to `to`; again, until none is left: they may fork meanwhile.
void move_processes(const fs::path& from, const fs::path& to) {
    for (int round = 0; round < 100; ++round) {
        const auto pids = words(read_text(from / "cgroup.procs"));
        if (pids.empty()) return;
        for (const std::string& pid : pids) {
            if (pid == "0") continue;  // of another pid namespace: not ours to name
            try {
                write_text(to / "cgroup.procs", pid);
            } catch (const std::system_error& error) {
                if (error.code().value() != ESRCH) throw;
            }
        }
    }
}

// Hands controllers down from the mount to `parent`. One that is refused (in use by cgroup v1, or
// processes in the way) is simply not there for the containers; the caller says so where it
// matters.
void enable_controllers(const fs::path& mount, const fs::path& parent) {
    std::vector<fs::path> line{mount};
    for (const fs::path& part : parent.lexically_relative(mount))
        if (part != ".") line.push_back(line.back() / part);
    for (const fs::path& directory : line) {
        const auto present = words(read_text(directory / "cgroup.controllers"));
        const auto enabled = words(read_text(directory / "cgroup.subtree_control"));
        for (const char* name : wanted_controllers) {
            if (!present.contains(name) || enabled.contains(name)) continue;
            try {
                write_text(directory / "cgroup.subtree_control", std::string("+") + name);
            } catch (const std::system_error&) {
            }
        }
    }
}

// So that mydockerd need not wait for its turn among all containers (cgroup-v2.rst: 100 is usual,
// 10000 the most).
void weigh_supervisor(const fs::path& leaf) {
    try {
        if (fs::exists(leaf / "cpu.weight")) write_text(leaf / "cpu.weight", "10000");
    } catch (const std::system_error&) {
    }
}

}  // namespace

fs::path cgroup2_mount() {
    std::ifstream in("/proc/self/mountinfo");
    for (std::string line; std::getline(in, line);) {
        // 31 23 0:28 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw   (proc(5))
        const std::size_t dash = line.find(" - cgroup2 ");
        if (dash == std::string::npos) continue;
        std::istringstream fields(line);
        std::string skip;
        std::string mount_point;
        fields >> skip >> skip >> skip >> skip >> mount_point;
        struct statfs status {};  // another mount may lie over this one
        if (::statfs(mount_point.c_str(), &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC)
            return mount_point;
    }
    fail(ENOENT,
         "find a cgroup2 mount in /proc/self/mountinfo (mount -t cgroup2 none /sys/fs/cgroup)");
}

CgroupTree::CgroupTree(const std::string& configured) {
    const fs::path mount = cgroup2_mount();
    fs::path own = mount / fs::path(own_cgroup()).relative_path();
    // A root that has cgroup.type is a cgroup namespace's, not the machine's: it must be emptied
    // first.
    const bool inner_root = fs::exists(mount / "cgroup.type");
    const auto handed_over = [&](const fs::path& cgroup) {
        return delegated(cgroup) || (inner_root && cgroup == mount);
    };
    // Whoever started this one had been moved into the leaf, so it was born there.
    if (own.filename() == leaf_name && handed_over(own.parent_path())) own = own.parent_path();
    if (!configured.empty()) {
        path_ = mount / fs::path(configured).relative_path().lexically_normal();
    } else if (handed_over(own)) {
        path_ = own;
        const fs::path leaf = own / leaf_name;
        if (::mkdir(leaf.c_str(), 0755) < 0 && errno != EEXIST)
            fail(errno, "mkdir " + leaf.string());
        move_processes(own, leaf);
    } else {
        path_ = mount / "mydocker";
    }
    fs::path made = mount;
    for (const fs::path& part : path_.lexically_relative(mount)) {
        made /= part;
        if (::mkdir(made.c_str(), 0755) == 0)
            ::setxattr(made.c_str(), made_by_us, "1", 1, 0);
        else if (errno != EEXIST)
            fail(errno, "make the cgroup " + made.string());
    }
    ours_ = ::getxattr(path_.c_str(), made_by_us, nullptr, 0) > 0;
    enable_controllers(mount, path_);
    weigh_supervisor(path_ / leaf_name);
    fd_.reset(must(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                   "open the cgroup " + path_.string()));
    controllers_ = words(read_text(path_ / "cgroup.subtree_control"));
}

CgroupTree::~CgroupTree() {
    if (ours_) ::rmdir(path_.c_str());
}

std::string CgroupTree::cpus() const {
    std::string text = read_file_at(fd_.get(), "cpuset.cpus.effective").value_or("");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

std::vector<std::string> CgroupTree::remove_leftovers(int patience_ms,
                                                      const std::set<std::string>& kept) {
    std::vector<std::string> removed;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path_, error)) {
        if (!entry.is_directory() || entry.path().filename() == leaf_name) continue;
        // Only what this program names so: 32 hexadecimal digits.
        const std::string name = entry.path().filename();
        if (name.size() != 32 || name.find_first_not_of("0123456789abcdef") != std::string::npos)
            continue;
        if (kept.contains(name)) continue;
        Cgroup left = Cgroup::open(*this, name, {});
        left.kill();
        const auto deadline =
            std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
        while (!left.remove() && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        removed.push_back(name);
    }
    return removed;
}

}  // namespace mydocker::runtime
