// One container's cgroup (cgroup v2): made with its limits, asked, killed, removed. A process is
// put into it only by being born there (CLONE_INTO_CGROUP); nothing here writes cgroup.procs.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cgroup_tree.hpp"
#include "runtime/limits.hpp"
#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

// One container's cgroup. The constructor makes it and writes every limit; it throws when one
// cannot be written, with the half-made directory removed.
class Cgroup {
public:
    struct Options {
        bool best_effort = false;  // a missing controller is noted in skipped(), not thrown
    };
    Cgroup(const CgroupTree& tree, const std::string& name, const Limits& limits, Options options);
    // One that an earlier mydockerd made, with its limits as they are; an empty one where it has
    // gone. Throws std::system_error.
    static Cgroup open(const CgroupTree& tree, const std::string& name, Options options);
    Cgroup(Cgroup&&) = default;
    Cgroup& operator=(Cgroup&&) = default;
    ~Cgroup();  // removes the directory if nothing is in it

    int fd() const { return fd_.get(); }
    std::filesystem::path path() const;
    const std::vector<std::string>& skipped() const { return skipped_; }  // sentences

    // Writes the difference in a living cgroup; if one is refused, those before are undone and it
    // throws.
    void update(const Limits& before, const Limits& after);

    void kill() const;  // cgroup.kill: every process, frozen ones too; harmless when empty
    // cgroup.freeze; frozen() is true once every process stands still, and cgroup.events tells.
    void freeze() const;
    void thaw() const;
    bool frozen() const;
    bool freezes() const;           // it was asked to, and is or will be; throws std::system_error
    bool populated() const;         // or nobody can tell now
    UniqueFd watch_events() const;  // cgroup.events; POLLPRI tells of a change
    UniqueFd watch_memory() const;  // memory.events; empty without the controller
    std::optional<std::uint64_t> oom_kills() const;    // memory.events
    std::optional<std::uint64_t> memory_peak() const;  // bytes; memory.peak, since Linux 5.19
    // Who is in it: what is known of an attempt where everybody who knew more has died. Written
    // onto the directory before the init is released (an extended attribute: Linux 5.7).
    struct Released {
        pid_t init = 0;
        std::array<std::uint64_t, 2> pipes = {0, 0};  // inodes of stdout's and stderr's; 0: none
    };
    void mark_released(const Released& released) const;  // throws std::system_error
    std::optional<Released> released() const;            // nullopt: nobody was
    std::uint64_t inode() const;
    // In it and in those that the workload made inside; bounded, as they are.
    std::vector<pid_t> processes() const;
    // rmdir, with cgroups that the workload made inside; false while something is alive in it.
    bool remove();

private:
    Cgroup(const CgroupTree& tree, const std::string& name, Options options)
        : tree_(&tree), best_effort_(options.best_effort), name_(name) {}
    void open();
    // Writes one limit, or notes in skipped() why it need not be written.
    void apply(const LimitWrite& limit);
    void write(std::string_view file, const std::string& value, const std::string& what) const;

    const CgroupTree* tree_;
    bool best_effort_ = false;
    std::string name_;
    UniqueFd fd_;
    std::vector<std::string> skipped_;
};

}  // namespace mydocker::runtime
