// What the machine as a whole uses, from the kernel's own files: mydockerd's socket is a Unix
// socket, so it is this machine. Absent is what this kernel does not tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mydocker::ctl::watch {

// Percent of the last 10 s in which some task waited (PSI, some avg10).
struct Pressure {
    std::optional<double> cpu, memory, io;
};

struct Host {
    std::int64_t cpus = 0;
    std::optional<double> cpu;  // percent of all its CPUs, since the last reading
    std::string load;           // of the last minute
    std::optional<std::uint64_t> memory, memory_max;
    Pressure pressure;
};

// The texts of those files; pure.
struct HostFiles {
    std::string stat, meminfo, loadavg, cpu_pressure, memory_pressure, io_pressure;
};

class HostReader {
public:
    Host read();
    Host read(const HostFiles& files, std::int64_t cpus);

private:
    std::optional<std::uint64_t> busy_, total_;  // ticks at the last reading
};

}  // namespace mydocker::ctl::watch
