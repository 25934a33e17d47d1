// One process as `top` shows it, out of the kernel's words for it (proc(5)). mydocker-ctl runs on
// the host itself, as root: it reads /proc, where a read of a busy process may block, so that
// mydockerd need not.
#pragma once

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace mydocker::ctl {

// What of a process is read; `uptime` and `hertz` are the host's.
struct ProcessFiles {
    std::string stat = {};
    std::string status = {};
    std::string cmdline = {};
    double uptime = 0;  // seconds since boot
    double hertz = 100;
};

// {"pid","container_pid","uid","state","cpu_percent" (over its life),"cpu_ms","memory","command",
// "threads"}; nullopt for what is no process's.
std::optional<nlohmann::json> process_record(const ProcessFiles& files);

// Reads /proc/PID; nullopt: it has ended.
std::optional<nlohmann::json> read_process(pid_t pid);

}  // namespace mydocker::ctl
