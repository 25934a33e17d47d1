// Small files of cgroupfs and procfs: read whole, written in one go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mydocker::runtime {

// A small kernel file, read whole (at most 64 KiB); nullopt where it cannot be read.
std::optional<std::string> read_file_at(int dir, const char* name);
// "key value" lines, as of memory.events and cgroup.events.
std::optional<std::uint64_t> flat_value(const std::string& text, std::string_view key);
std::optional<std::uint64_t> flat_value_at(int dir, const char* name, std::string_view key);
// A mask of /proc/PID/status, as of CapEff and SigCgt (proc_pid_status(5)).
std::optional<std::uint64_t> status_mask(const std::string& status, const std::string& key);

// One write(2) of all of it; throws std::system_error that says `what`.
void write_file_at(int dir, const char* name, std::string_view text, const std::string& what);

}  // namespace mydocker::runtime
