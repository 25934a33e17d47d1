// What the tests read of the host beside mydockerd: its processes, mounts and cgroups as the kernel
// shows them. Reads only.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mydocker::tests {

// In ascending order, zombies too. By /proc/PID/stat, so from the host's pid namespace.
std::vector<pid_t> children_of(pid_t parent);
std::vector<pid_t> descendants_of(pid_t ancestor);

// A line of /proc/PID/status without its key: status_field(pid, "CapEff"); "" where there is none.
std::string status_field(pid_t pid, const std::string& key);
std::string field_of(const std::string& status, const std::string& key);  // of a text read already

std::filesystem::path executable_of(pid_t pid);            // "" where there is no such process
std::string link_text(const std::filesystem::path& link);  // "" where it cannot be read

std::string host_mounts();  // /proc/self/mountinfo

// cgroup.procs in ascending order; cgroups below a directory.
std::vector<pid_t> processes_in(const std::filesystem::path& cgroup);
std::vector<std::string> cgroups_below(const std::filesystem::path& parent);
// "key value" lines (cpu.stat, memory.events); 0 where there is no such key.
unsigned long long flat_value_of(const std::string& text, const std::string& key);

// A directory that can be a container's root: the host's /usr comes as the volume usr_volume, and
// /bin, /lib and so on are what they are on the host, as symlinks into it.
void make_rootfs(const std::filesystem::path& directory);
inline constexpr auto usr_volume = "/usr:/usr:ro";

}  // namespace mydocker::tests
