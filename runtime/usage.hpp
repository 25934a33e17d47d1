// What a cgroup uses now, as the kernel counts it. One reading is some ten small files of cgroupfs;
// nothing is computed and nothing kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mydocker::runtime {

// Each is absent where the kernel has no such file: no controller for it, or an older kernel.
struct Usage {
    using Number = std::optional<std::uint64_t>;

    Number cpu_usec;                     // cpu.stat
    Number throttled_usec;               // cpu.stat, by cpu.max
    Number memory;                       // memory.current, bytes
    Number memory_max;                   // memory.max; no_limit
    Number memory_peak;                  // memory.peak
    Number swap;                         // memory.swap.current
    Number oom_kills;                    // memory.events
    Number pids;                         // pids.current
    Number pids_max;                     // pids.max; no_limit
    Number io_read;                      // io.stat, bytes, over all devices
    Number io_write;                     // io.stat
    std::optional<double> cpu_pressure;  // percent of the last 10 s in which some task waited (PSI)
    std::optional<double> memory_pressure;
    std::optional<double> io_pressure;

    static constexpr std::uint64_t no_limit = UINT64_MAX;
};

Usage read_usage(int cgroup);

// The parts of it that read more than a number; pure.
std::optional<double> pressure_of(const std::string& text);                // "some avg10=1.23 …"
std::uint64_t sum_of_io(const std::string& text, const std::string& key);  // "8:0 rbytes=1 …"

}  // namespace mydocker::runtime
