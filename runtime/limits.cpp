// See limits.hpp.
#include "runtime/limits.hpp"

#include <algorithm>
#include <limits>

namespace mydocker::runtime {

namespace {

std::string bytes_or_max(std::uint64_t value) {
    return value == std::numeric_limits<std::uint64_t>::max() ? "max" : std::to_string(value);
}

std::string default_of(std::string_view file) {
    if (file == "cpu.max") return "max 100000";
    if (file == "cpu.weight") return "100";
    if (file == "cpuset.cpus") return "\n";
    if (file == "memory.oom.group") return "0";
    return "max";
}

}  // namespace

std::vector<LimitWrite> limit_writes(const Limits& limits) {
    std::vector<LimitWrite> writes;
    if (limits.memory_max)
        writes.push_back({"memory", "memory.max", bytes_or_max(*limits.memory_max)});
    if (limits.memory_high)
        writes.push_back({"memory", "memory.high", bytes_or_max(*limits.memory_high)});
    if (limits.swap_max)
        writes.push_back({"memory", "memory.swap.max", bytes_or_max(*limits.swap_max)});
    if (limits.oom_group) writes.push_back({"memory", "memory.oom.group", "1"});
    if (limits.cpu_quota_us)
        writes.push_back(
            {"cpu", "cpu.max",
             std::to_string(*limits.cpu_quota_us) + " " + std::to_string(limits.cpu_period_us)});
    if (limits.cpu_weight)
        writes.push_back({"cpu", "cpu.weight", std::to_string(*limits.cpu_weight)});
    if (!limits.cpuset_cpus.empty())
        writes.push_back({"cpuset", "cpuset.cpus", limits.cpuset_cpus});
    if (limits.pids_max) writes.push_back({"pids", "pids.max", bytes_or_max(*limits.pids_max)});
    return writes;
}

std::vector<LimitWrite> limit_changes(const Limits& before, const Limits& after) {
    const auto old_writes = limit_writes(before);
    const auto new_writes = limit_writes(after);
    const auto has = [](const std::vector<LimitWrite>& writes, std::string_view file) {
        return std::ranges::any_of(writes, [&](const auto& write) { return write.file == file; });
    };
    std::vector<LimitWrite> changes;
    for (const LimitWrite& write : old_writes)
        if (!has(new_writes, write.file))
            changes.push_back({write.controller, write.file, default_of(write.file)});
    for (const LimitWrite& write : new_writes)
        if (std::ranges::find(old_writes, write) == old_writes.end()) changes.push_back(write);
    return changes;
}

unsigned weight_from_shares(std::uint64_t shares) {
    const std::uint64_t clamped = std::clamp<std::uint64_t>(shares, 2, 262'144);
    return static_cast<unsigned>(1 + ((clamped - 2) * 9'999) / 262'142);
}

}  // namespace mydocker::runtime
