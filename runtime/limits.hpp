// Limits as the kernel reads them: which file of the cgroup gets which words, and which controller
// that file belongs to. Pure; cgroup.cpp writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/spec.hpp"

namespace mydocker::runtime {

struct LimitWrite {
    std::string_view controller;  // "memory"
    std::string_view file;        // "memory.max"
    std::string value;            // "52428800"
    bool operator==(const LimitWrite&) const = default;
};

// In the order in which they must be written (Documentation/admin-guide/cgroup-v2.rst).
std::vector<LimitWrite> limit_writes(const Limits& limits);

// What takes `before` to `after` in a living cgroup: the changed files, a lifted limit as its
// default.
std::vector<LimitWrite> limit_changes(const Limits& before, const Limits& after);

// Docker's cpu shares (2-262144, 1024 is normal) to cpu.weight (1-10000, 100 is normal): the
// linear conversion that runc and systemd used for cgroup v2, 2 -> 1, 1024 -> 39, 262144 -> 10000.
unsigned weight_from_shares(std::uint64_t shares);

}  // namespace mydocker::runtime
