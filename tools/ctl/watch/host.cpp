// See host.hpp and proc(5).
#include "tools/ctl/watch/host.hpp"

#include <unistd.h>

#include <charconv>
#include <sstream>

#include "tools/ctl/proc_file.hpp"

namespace mydocker::ctl::watch {

namespace {

std::optional<std::uint64_t> kilobytes(const std::string& meminfo, const std::string& key) {
    std::istringstream lines(meminfo);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key + ':')) continue;
        std::istringstream fields(line.substr(key.size() + 1));
        std::uint64_t value = 0;
        if (fields >> value) return value * 1024;
    }
    return std::nullopt;
}

std::optional<double> some_avg10(const std::string& text) {
    constexpr std::string_view begin = "some avg10=";
    if (!text.starts_with(begin)) return std::nullopt;
    double value = 0;
    const auto result = std::from_chars(text.data() + begin.size(), text.data() + text.size(),
                                        value, std::chars_format::fixed);
    return result.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace

Host HostReader::read() {
    return read({proc_text("/proc/stat"), proc_text("/proc/meminfo"), proc_text("/proc/loadavg"),
                 proc_text("/proc/pressure/cpu"), proc_text("/proc/pressure/memory"),
                 proc_text("/proc/pressure/io")},
                ::sysconf(_SC_NPROCESSORS_ONLN));
}

Host HostReader::read(const HostFiles& files, std::int64_t cpus) {
    Host host;
    host.cpus = cpus;
    // "cpu user nice system idle iowait irq softirq steal …": the rest is in user and nice.
    std::istringstream stat(files.stat);
    std::string word;
    std::uint64_t all = 0, idle = 0, ticks = 0;
    unsigned fields = 0;
    for (stat >> word; word == "cpu" && fields < 8 && stat >> ticks; ++fields) {
        all += ticks;
        if (fields == 3 || fields == 4) idle += ticks;
    }
    if (fields >= 4) {
        const std::uint64_t busy = all - idle;
        // iowait may go backwards (proc(5)).
        if (total_ && all > *total_ && busy >= *busy_) {
            host.cpu =
                100.0 * static_cast<double>(busy - *busy_) / static_cast<double>(all - *total_);
        }
        busy_ = busy;
        total_ = all;
    }
    host.load = files.loadavg.substr(0, files.loadavg.find(' '));
    host.memory_max = kilobytes(files.meminfo, "MemTotal");
    const auto available = kilobytes(files.meminfo, "MemAvailable");
    if (host.memory_max && available && *available <= *host.memory_max) {
        host.memory = *host.memory_max - *available;
    }
    host.pressure = {some_avg10(files.cpu_pressure), some_avg10(files.memory_pressure),
                     some_avg10(files.io_pressure)};
    return host;
}

}  // namespace mydocker::ctl::watch
