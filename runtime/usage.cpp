// See usage.hpp.
#include "runtime/usage.hpp"

#include <charconv>

#include "runtime/kernel_file.hpp"

namespace mydocker::runtime {

namespace {

Usage::Number number_in(int cgroup, const char* file) {
    const auto text = read_file_at(cgroup, file);
    if (!text) return std::nullopt;
    if (text->starts_with("max")) return Usage::no_limit;
    std::uint64_t value = 0;
    const auto result = std::from_chars(text->data(), text->data() + text->size(), value);
    return result.ec == std::errc{} ? Usage::Number(value) : std::nullopt;
}

std::optional<double> pressure_in(int cgroup, const char* file) {
    const auto text = read_file_at(cgroup, file);
    return text ? pressure_of(*text) : std::nullopt;
}

}  // namespace

std::optional<double> pressure_of(const std::string& text) {
    constexpr std::string_view begin = "some avg10=";
    if (!text.starts_with(begin)) return std::nullopt;
    double value = 0;
    const auto result = std::from_chars(text.data() + begin.size(), text.data() + text.size(),
                                        value, std::chars_format::fixed);
    return result.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

std::uint64_t sum_of_io(const std::string& text, const std::string& key) {
    const std::string word = " " + key + "=";
    std::uint64_t sum = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
        at += word.size();
        std::uint64_t value = 0;
        std::from_chars(text.data() + at, text.data() + text.size(), value);
        sum += value;
    }
    return sum;
}

Usage read_usage(int cgroup) {
    Usage usage;
    if (const auto text = read_file_at(cgroup, "cpu.stat")) {
        usage.cpu_usec = flat_value(*text, "usage_usec");
        usage.throttled_usec = flat_value(*text, "throttled_usec");
    }
    usage.memory = number_in(cgroup, "memory.current");
    usage.memory_max = number_in(cgroup, "memory.max");
    usage.memory_peak = number_in(cgroup, "memory.peak");
    usage.swap = number_in(cgroup, "memory.swap.current");
    usage.oom_kills = flat_value_at(cgroup, "memory.events", "oom_kill");
    usage.pids = number_in(cgroup, "pids.current");
    usage.pids_max = number_in(cgroup, "pids.max");
    if (const auto text = read_file_at(cgroup, "io.stat")) {
        usage.io_read = sum_of_io(*text, "rbytes");
        usage.io_write = sum_of_io(*text, "wbytes");
    }
    usage.cpu_pressure = pressure_in(cgroup, "cpu.pressure");
    usage.memory_pressure = pressure_in(cgroup, "memory.pressure");
    usage.io_pressure = pressure_in(cgroup, "io.pressure");
    return usage;
}

}  // namespace mydocker::runtime
