// Where the benchmark plays: a private mount namespace with cgroup v2 alone in sight, a tmpfs for
// everything that is written, a root file system that holds the workload, and a cgroup for all that
// is not mydockerd's. When it is destroyed only the cgroup has to go; the rest ends with us.
#pragma once

#include <filesystem>
#include <string>

#include "tools/bench/clock.hpp"

namespace mydocker::bench {

class Scene {
public:
    // Throws std::system_error; needs root. Moves this process into the namespace for good.
    Scene();
    ~Scene();
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    const std::filesystem::path& scratch() const { return scratch_; }
    std::filesystem::path rootfs() const { return scratch_ / "rootfs"; }
    // The floor's and the peers'; mydockerd makes its own: parent_name() below the cgroup2 mount.
    const std::filesystem::path& cgroup() const { return cgroup_; }
    const std::string& parent_name() const { return parent_name_; }

    // So many more bind mounts in the namespace, as a busy host has them.
    void add_mounts(unsigned count) const;

private:
    std::filesystem::path scratch_;
    std::filesystem::path cgroup_;
    std::string parent_name_;
};

// The file that every workload appends the time of its first instruction to.
class Marks {
public:
    explicit Marks(const Scene& scene);
    ~Marks();
    Marks(const Marks&) = delete;
    Marks& operator=(const Marks&) = delete;

    // The next mark, waited for at most 10 s; throws when none comes.
    Nanoseconds next();
    void skip();  // all that stand there

private:
    int fd_;
};

std::filesystem::path program(const std::string& name);  // of this build, beside mydocker-bench

}  // namespace mydocker::bench
