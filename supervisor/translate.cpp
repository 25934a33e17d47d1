// See translate.hpp.
#include "supervisor/translate.hpp"

#include <sys/resource.h>

#include <cmath>
#include <limits>
#include <map>

#include "runtime/capability.hpp"
#include "runtime/error.hpp"
#include "runtime/limits.hpp"
#include "supervisor/exec_session.hpp"

namespace mydocker::supervisor {

namespace {

runtime::Capabilities named(const std::vector<std::string>& names) {
    runtime::Capabilities set = 0;
    for (const std::string& name : names) {
        if (name == "ALL") return runtime::own_capabilities();
        const auto number = runtime::capability_number(name);
        if (!number) runtime::fail(EINVAL, "capability \"" + name + "\"");
        set |= runtime::Capabilities{1} << *number;
    }
    return set;
}

// Those of cap_add; one that mydockerd has not got itself is an error, never left out in silence.
runtime::Capabilities added_capabilities(const std::vector<std::string>& names) {
    for (const std::string& name : names)
        if ((named({name}) & ~runtime::own_capabilities()) != 0)
            runtime::fail(EPERM, "add the capability " + name + ", which mydockerd itself lacks");
    return named(names);
}

// getrlimit(2); the names are Docker's.
int resource_of(const std::string& name) {
    static const std::map<std::string, int> resources = {{"as", RLIMIT_AS},
                                                         {"core", RLIMIT_CORE},
                                                         {"cpu", RLIMIT_CPU},
                                                         {"data", RLIMIT_DATA},
                                                         {"fsize", RLIMIT_FSIZE},
                                                         {"locks", RLIMIT_LOCKS},
                                                         {"memlock", RLIMIT_MEMLOCK},
                                                         {"msgqueue", RLIMIT_MSGQUEUE},
                                                         {"nice", RLIMIT_NICE},
                                                         {"nofile", RLIMIT_NOFILE},
                                                         {"nproc", RLIMIT_NPROC},
                                                         {"rss", RLIMIT_RSS},
                                                         {"rtprio", RLIMIT_RTPRIO},
                                                         {"rttime", RLIMIT_RTTIME},
                                                         {"sigpending", RLIMIT_SIGPENDING},
                                                         {"stack", RLIMIT_STACK}};
    const auto it = resources.find(name);
    if (it == resources.end()) runtime::fail(EINVAL, "ulimit \"" + name + "\"");
    return it->second;
}

std::vector<runtime::Rlimit> rlimits(const std::vector<config::Ulimit>& ulimits) {
    std::vector<runtime::Rlimit> result;
    bool has_nofile = false;
    for (const config::Ulimit& ulimit : ulimits) {
        result.push_back({resource_of(ulimit.name), ulimit.soft, ulimit.hard});
        has_nofile |= ulimit.name == "nofile";
    }
    // Never inherited: mydockerd's own limit is raised, and programs that close every possible
    // descriptor crawl under a huge one (containerd#7566). These are systemd's defaults, where this
    // host allows as much.
    if (!has_nofile) {
        rlimit own{};
        ::getrlimit(RLIMIT_NOFILE, &own);
        result.push_back({RLIMIT_NOFILE, 1024, std::min<std::uint64_t>(own.rlim_max, 524'288)});
    }
    return result;
}

}  // namespace

runtime::Limits translate(const config::Limits& limits, config::OomPolicy oom_policy) {
    constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
    runtime::Limits result;
    result.memory_max = limits.mem_limit;
    result.memory_high = limits.mem_high;
    if (limits.memswap_limit && *limits.memswap_limit < 0)
        result.swap_max = unlimited;
    else if (limits.memswap_limit && limits.mem_limit)
        result.swap_max = static_cast<std::uint64_t>(*limits.memswap_limit) - *limits.mem_limit;
    else if (limits.mem_limit)
        result.swap_max = *limits.mem_limit;  // Docker: as much swap again as memory
    result.oom_group = oom_policy == config::OomPolicy::kill;
    if (limits.cpus) {
        // The kernel takes no quota under 1 ms.
        const double quota = std::round(*limits.cpus * static_cast<double>(result.cpu_period_us));
        result.cpu_quota_us = static_cast<std::uint64_t>(std::max(quota, 1000.0));
    }
    if (limits.cpu_shares) result.cpu_weight = runtime::weight_from_shares(*limits.cpu_shares);
    result.cpuset_cpus = limits.cpuset;
    if (limits.pids_limit)
        result.pids_max =
            *limits.pids_limit < 0 ? unlimited : static_cast<std::uint64_t>(*limits.pids_limit);
    return result;
}

runtime::Spec translate(const config::Container& container,
                        const std::filesystem::path& directory) {
    runtime::Spec spec;
    spec.process.args = container.command;
    for (const auto& [key, value] : container.environment)
        spec.process.env.push_back(key + "=" + value);
    spec.process.cwd = container.working_dir;
    spec.process.user = container.user;
    spec.process.rlimits = rlimits(container.ulimits);
    spec.process.oom_score_adj = container.oom_score_adj;
    spec.process.reaper = container.init;
    spec.process.no_new_privileges = !container.privileged;
    const runtime::Capabilities added = added_capabilities(container.cap_add);
    const runtime::Capabilities base =
        container.privileged ? runtime::own_capabilities()
                             : runtime::default_capabilities() & runtime::own_capabilities();
    spec.process.capabilities = (base & ~named(container.cap_drop)) | added;
    spec.process.ambient = container.privileged ? spec.process.capabilities : added;
    spec.privileged = container.privileged;
    spec.terminal = container.tty;
    spec.open_stdin = container.stdin_open;

    if (container.rootfs.empty()) {
        spec.root.path = "/";
        spec.root.upper = directory / "upper";
        spec.root.work = directory / "work";
    } else {
        spec.root.path = container.rootfs;
    }
    spec.root.read_only = container.read_only;
    spec.hostname = container.hostname.empty() ? container.name : container.hostname;
    for (const config::Volume& volume : container.volumes)
        spec.mounts.push_back(
            {runtime::Mount::Kind::bind, volume.source, volume.target, volume.read_only, 0, 0});
    for (const config::Tmpfs& tmpfs : container.tmpfs)
        spec.mounts.push_back({runtime::Mount::Kind::tmpfs, "", tmpfs.target, false,
                               tmpfs.size.value_or(0), tmpfs.mode});
    spec.own_network = container.network == config::Network::none;
    spec.shm_size = container.shm_size;
    spec.limits = translate(container.limits, container.oom_policy);
    return spec;
}

runtime::EntrySpec translate(const ExecRequest& request, runtime::Spec container) {
    runtime::EntrySpec spec;
    spec.process = std::move(container.process);
    spec.process.args = request.command;
    spec.process.reaper = false;
    if (!request.user.empty()) spec.process.user = request.user;
    if (!request.working_dir.empty()) spec.process.cwd = request.working_dir;
    for (const auto& [key, value] : request.environment) {
        const std::string name = key + "=";  // clang 14 captures no structured binding
        std::erase_if(spec.process.env,
                      [&](const std::string& entry) { return entry.starts_with(name); });
        spec.process.env.push_back(name + value);
    }
    if (request.privileged) {
        spec.process.capabilities = runtime::own_capabilities();
        spec.process.ambient = spec.process.capabilities;
        spec.process.no_new_privileges = false;
    }
    spec.hostname = container.hostname;
    spec.own_network = container.own_network;
    spec.terminal = request.terminal;
    spec.open_stdin = request.open_stdin;
    spec.detached = request.detached;
    return spec;
}

}  // namespace mydocker::supervisor
