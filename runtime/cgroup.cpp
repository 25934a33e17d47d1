// See cgroup.hpp.
#include "runtime/cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <bitset>
#include <charconv>
#include <sstream>

#include "runtime/error.hpp"
#include "runtime/kernel_file.hpp"

namespace mydocker::runtime {

namespace {

using CpuSet = std::bitset<8192>;

CpuSet parse_cpus(std::string_view list) {
    CpuSet result;
    const char* at = list.data();
    const char* end = at + list.size();
    while (at < end) {
        unsigned first = 0;
        auto [next, error] = std::from_chars(at, end, first);
        if (error != std::errc{}) break;
        unsigned last = first;
        if (next < end && *next == '-') next = std::from_chars(next + 1, end, last).ptr;
        for (unsigned cpu = first; cpu <= last && cpu < result.size(); ++cpu) result.set(cpu);
        at = next < end ? next + 1 : end;
    }
    return result;
}

// The kernel takes a CPU that is possible but absent, and then runs the workload elsewhere.
void check_cpus(const std::string& wanted, const std::string& available) {
    if ((parse_cpus(wanted) & ~parse_cpus(available)).any())
        fail(EINVAL, "cpuset \"" + wanted +
                         "\" names CPUs that are not here (available: " + available + ")");
}

std::string key_of(std::string_view file) {
    if (file == "memory.max") return "mem_limit";
    if (file == "memory.high") return "mem_high";
    if (file == "memory.swap.max") return "memswap_limit";
    if (file == "memory.oom.group") return "oom_policy";
    if (file == "cpu.max") return "cpus";
    if (file == "cpu.weight") return "cpu_shares";
    if (file == "cpuset.cpus") return "cpuset";
    return "pids_limit";
}

std::string missing_controller(const LimitWrite& write, const CgroupTree& tree) {
    std::string have;
    for (const std::string& name : tree.controllers()) have += (have.empty() ? "" : " ") + name;
    return key_of(write.file) + " needs the cgroup v2 controller \"" +
           std::string(write.controller) + "\", which this host does not offer at " +
           tree.path().string() + " (it has: " + (have.empty() ? "none" : have) + ")";
}

constexpr auto released_mark = "user.mydocker.released";

// Calls use(name, descriptor) for each cgroup in `dir`.
template <class Use>
void for_each_child(int dir, Use use) {
    const int copy = ::openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
    if (stream == nullptr) {
        if (copy >= 0) ::close(copy);
        return;
    }
    while (const dirent* entry = ::readdir(stream)) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        const UniqueFd child(::openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (child) use(entry->d_name, child.get());
    }
    ::closedir(stream);
}

// Removes cgroups below `dir`, deepest first; a workload may have made some, to any sane depth.
void remove_children(int dir, int depth) {
    if (depth > 16) return;
    for_each_child(dir, [&](const char* name, int child) {
        remove_children(child, depth + 1);
        ::unlinkat(dir, name, AT_REMOVEDIR);
    });
}

void add_processes(int dir, int depth, std::vector<pid_t>& pids) {
    const std::string text = read_file_at(dir, "cgroup.procs").value_or("");
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos;
         at = end + 1) {
        pid_t pid = 0;
        std::from_chars(text.data() + at, text.data() + end, pid);
        if (pid > 0) pids.push_back(pid);
    }
    constexpr std::size_t most = 100'000;
    if (depth > 16 || pids.size() > most) return;
    for_each_child(dir, [&](const char*, int child) { add_processes(child, depth + 1, pids); });
}

}  // namespace

Cgroup::Cgroup(const CgroupTree& tree, const std::string& name, const Limits& limits,
               Options options)
    : Cgroup(tree, name, options) {
    if (::mkdirat(tree.fd(), name.c_str(), 0755) < 0) {
        if (errno != EEXIST) fail(errno, "make the cgroup " + path().string());
        // Left by an earlier attempt whose removal the kernel refused: ours only if nothing lives
        // in it.
        if (!remove())
            fail(EBUSY, "make the cgroup " + path().string() + ": an old one is still populated");
        must(::mkdirat(tree.fd(), name.c_str(), 0755), "make the cgroup " + path().string());
    }
    try {
        open();
        for (const LimitWrite& limit : limit_writes(limits)) apply(limit);
    } catch (...) {
        ::unlinkat(tree.fd(), name.c_str(), AT_REMOVEDIR);
        throw;
    }
}

Cgroup Cgroup::open(const CgroupTree& tree, const std::string& name, Options options) {
    Cgroup cgroup(tree, name, options);
    try {
        cgroup.open();
    } catch (const std::system_error& error) {
        if (error.code().value() != ENOENT) throw;
        ::mkdirat(tree.fd(), name.c_str(), 0755);
        cgroup.open();
    }
    return cgroup;
}

void Cgroup::open() {
    fd_.reset(must(::openat(tree_->fd(), name_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                   "open the cgroup " + path().string()));
}

void Cgroup::mark_released(const Released& released) const {
    const std::string text = std::to_string(released.init) + " " +
                             std::to_string(released.pipes[0]) + " " +
                             std::to_string(released.pipes[1]);
    must(::fsetxattr(fd_.get(), released_mark, text.data(), text.size(), 0),
         "mark the cgroup " + path().string());
}

std::optional<Cgroup::Released> Cgroup::released() const {
    std::string text(64, '\0');
    const ssize_t size = ::fgetxattr(fd_.get(), released_mark, text.data(), text.size());
    if (size < 0) return std::nullopt;
    std::istringstream words(text.substr(0, static_cast<std::size_t>(size)));
    Released released;
    words >> released.init >> released.pipes[0] >> released.pipes[1];
    return words ? std::optional(released) : std::nullopt;
}

Cgroup::~Cgroup() {
    if (fd_) remove();
}

std::filesystem::path Cgroup::path() const { return tree_->path() / name_; }

void Cgroup::apply(const LimitWrite& limit) {
    const auto skip = [&](const std::string& why) {
        if (std::ranges::find(skipped_, why) == skipped_.end()) skipped_.push_back(why);
    };
    if (!tree_->controllers().contains(std::string(limit.controller))) {
        if (!best_effort_)
            fail(ENOTSUP, missing_controller(limit, *tree_) +
                              "; limits = \"best-effort\" in [daemon] starts without");
        return skip("not limited: " + missing_controller(limit, *tree_));
    }
    // swap accounting may be compiled out or off while memory is there (swapaccount=0).
    if (limit.file == "memory.swap.max" && ::faccessat(fd_.get(), "memory.swap.max", F_OK, 0) < 0)
        return skip("swap is not limited: this kernel has no memory.swap.max");
    if (limit.file != "cpuset.cpus") return write(limit.file, limit.value, key_of(limit.file));
    const std::string available = tree_->cpus();
    check_cpus(limit.value, available);
    // Lifted: the kernel takes no empty set while a process is in it (ENOSPC).
    write(limit.file, limit.value == "\n" ? available : limit.value, "cpuset");
}

void Cgroup::write(std::string_view file, const std::string& value, const std::string& what) const {
    write_file_at(fd_.get(), std::string(file).c_str(), value,
                  "set " + what + ": write \"" + value + "\" to " + (path() / file).string());
}

void Cgroup::update(const Limits& before, const Limits& after) {
    const auto changes = limit_changes(before, after);
    try {
        for (const LimitWrite& change : changes) apply(change);
    } catch (...) {
        for (const LimitWrite& change : limit_changes(after, before)) {
            try {
                apply(change);
            } catch (const std::system_error&) {  // the first refusal is the one to tell
            }
        }
        throw;
    }
}

void Cgroup::kill() const { write("cgroup.kill", "1", "kill"); }

void Cgroup::freeze() const { write("cgroup.freeze", "1", "pause"); }

void Cgroup::thaw() const { write("cgroup.freeze", "0", "unpause"); }

bool Cgroup::frozen() const {
    return flat_value_at(fd_.get(), "cgroup.events", "frozen").value_or(0) != 0;
}

bool Cgroup::freezes() const {
    const auto text = read_file_at(fd_.get(), "cgroup.freeze");
    if (!text) fail(EIO, "read " + (path() / "cgroup.freeze").string());
    return text->starts_with('1');
}

bool Cgroup::populated() const {
    return flat_value_at(fd_.get(), "cgroup.events", "populated").value_or(1) != 0;
}

UniqueFd Cgroup::watch_events() const {
    return UniqueFd(must(::openat(fd_.get(), "cgroup.events", O_RDONLY | O_CLOEXEC),
                         "open " + (path() / "cgroup.events").string()));
}

UniqueFd Cgroup::watch_memory() const {
    return UniqueFd(::openat(fd_.get(), "memory.events", O_RDONLY | O_CLOEXEC));
}

std::optional<std::uint64_t> Cgroup::oom_kills() const {
    return flat_value_at(fd_.get(), "memory.events", "oom_kill");
}

std::optional<std::uint64_t> Cgroup::memory_peak() const {
    const auto text = read_file_at(fd_.get(), "memory.peak");
    return text ? flat_value("peak " + *text, "peak") : std::nullopt;
}

std::uint64_t Cgroup::inode() const {
    struct stat status {};
    return ::fstat(fd_.get(), &status) == 0 ? status.st_ino : 0;
}

std::vector<pid_t> Cgroup::processes() const {
    std::vector<pid_t> pids;
    add_processes(fd_.get(), 0, pids);
    std::ranges::sort(pids);
    return pids;
}

bool Cgroup::remove() {
    if (::unlinkat(tree_->fd(), name_.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
        fd_.reset();
        return true;
    }
    const UniqueFd self(::openat(tree_->fd(), name_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (self) remove_children(self.get(), 0);
    if (::unlinkat(tree_->fd(), name_.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) return false;
    fd_.reset();
    return true;
}

}  // namespace mydocker::runtime
