// See plan.hpp. The order of the steps is the argument for their safety: each says why it is there
// and not earlier or later.
#include "runtime/plan.hpp"

#include <linux/mount.h>
#include <linux/sched.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "runtime/error.hpp"

namespace mydocker::runtime {

using wire::Op;

namespace {

constexpr std::uint64_t nosuid_nodev_noexec =
    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

constexpr auto default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// What Docker and the OCI defaults hide: places that tell of the host or change it.
constexpr const char* masked_paths[] = {"/proc/acpi",
                                        "/proc/asound",
                                        "/proc/interrupts",
                                        "/proc/kcore",
                                        "/proc/keys",
                                        "/proc/latency_stats",
                                        "/proc/sched_debug",
                                        "/proc/scsi",
                                        "/proc/timer_list",
                                        "/proc/timer_stats",
                                        "/sys/devices/virtual/powercap",
                                        "/sys/firmware"};
constexpr const char* read_only_paths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                           "/proc/sysrq-trigger"};

PlanStep mount(const char* target, const char* type, std::uint64_t attributes,
               std::vector<std::string> options = {}) {
    std::vector<std::string> texts{target, type};
    texts.insert(texts.end(), options.begin(), options.end());
    return {Op::mount, attributes, 0755, 0, std::move(texts)};
}

// `devpts`: the descriptor of the terminal's, where there is one.
void add_dev(Plan& plan, const Spec& spec, std::uint64_t devpts) {
    struct Device {
        const char* path;
        unsigned major;
        unsigned minor;
    };
    plan.push_back(
        mount("/dev", "tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, {"mode=755", "size=65536k"}));
    for (const auto& [path, major, minor] : std::initializer_list<Device>{{"/dev/null", 1, 3},
                                                                          {"/dev/zero", 1, 5},
                                                                          {"/dev/full", 1, 7},
                                                                          {"/dev/random", 1, 8},
                                                                          {"/dev/urandom", 1, 9},
                                                                          {"/dev/tty", 5, 0}})
        plan.push_back({Op::device, 0666, major, minor, {path}});
    for (const auto& [content, path] : std::initializer_list<std::pair<const char*, const char*>>{
             {"/proc/self/fd", "/dev/fd"},
             {"/proc/self/fd/0", "/dev/stdin"},
             {"/proc/self/fd/1", "/dev/stdout"},
             {"/proc/self/fd/2", "/dev/stderr"},
             {"pts/ptmx", "/dev/ptmx"}})
        plan.push_back({Op::symlink, 0, 0, 0, {content, path}});
    if (spec.terminal) {
        plan.push_back({Op::attach, devpts, 1, 0, {"/dev/pts"}});
        plan.push_back({Op::console});
    } else {
        plan.push_back(mount("/dev/pts", "devpts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                             {"ptmxmode=0666", "mode=0620", "gid=5"}));
    }
    plan.push_back(mount("/dev/shm", "tmpfs", nosuid_nodev_noexec,
                         {"mode=1777", "size=" + std::to_string(spec.shm_size)}));
    plan.push_back(mount("/dev/mqueue", "mqueue", nosuid_nodev_noexec));
}

void add_mounts(Plan& plan, const Spec& spec, const std::vector<bool>& directories) {
    std::vector<std::size_t> order(spec.mounts.size());
    std::iota(order.begin(), order.end(), 0U);
    // Parents before what lies in them, else the parent would cover it.
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return spec.mounts[i].target; });
    std::vector<std::uint64_t> bind_number(spec.mounts.size());
    std::uint64_t binds = 0;
    for (std::size_t i = 0; i < spec.mounts.size(); ++i)
        if (spec.mounts[i].kind == Mount::Kind::bind) bind_number[i] = binds++;
    for (const std::size_t i : order) {
        const Mount& wanted = spec.mounts[i];
        if (wanted.kind == Mount::Kind::bind) {
            const bool directory = directories.at(bind_number[i]);
            plan.push_back(
                {Op::attach, bind_number[i] + 1, directory ? 1U : 0U, 0, {wanted.target}});
            continue;
        }
        char mode[16];
        std::snprintf(mode, sizeof mode, "mode=%o", wanted.mode);
        std::vector<std::string> texts{wanted.target, "tmpfs", mode};
        if (wanted.size != 0) texts.push_back("size=" + std::to_string(wanted.size));
        plan.push_back(
            {Op::mount, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0755, 1, std::move(texts)});
    }
}

std::string value_of(const std::vector<std::string>& environment, const std::string& key) {
    for (const std::string& entry : environment)
        if (entry.starts_with(key + "=")) return entry.substr(key.size() + 1);
    return "";
}

std::vector<std::string> full_environment(const Process& process, const std::string& hostname,
                                          bool terminal, const User& user) {
    std::vector<std::string> environment = process.env;
    const auto add = [&](const std::string& key, const std::string& value) {
        const auto same = [&](const std::string& entry) { return entry.starts_with(key + "="); };
        if (std::ranges::none_of(environment, same)) environment.push_back(key + "=" + value);
    };
    add("PATH", default_path);
    add("HOME", user.home);
    add("HOSTNAME", hostname);
    if (terminal) add("TERM", "xterm");
    return environment;
}

std::vector<std::string> candidates(const std::string& program, const std::string& path) {
    if (program.find('/') != std::string::npos) return {program};
    std::vector<std::string> result;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find(':', at), path.size());
        if (end > at) result.push_back(path.substr(at, end - at) + "/" + program);
        at = end + 1;
    }
    return result;
}

void add_privileges(Plan& plan, const Process& process, const User& user) {
    // Bounding first: dropping from it needs CAP_SETPCAP, which the next steps may take away.
    plan.push_back({Op::bounding, process.capabilities});
    PlanStep groups{Op::groups};
    for (const gid_t gid : user.groups) groups.texts.push_back(std::to_string(gid));
    plan.push_back(std::move(groups));
    plan.push_back({Op::user, user.uid, user.gid});
    if (user.uid == 0)
        plan.push_back({Op::capabilities, process.capabilities, 0});
    else
        plan.push_back({Op::capabilities, process.ambient, process.ambient});
    if (process.no_new_privileges) plan.push_back({Op::no_new_privs});
}

// These need /proc, and the rights that are about to go.
void add_inherited(Plan& plan, const Process& process) {
    plan.push_back(
        {Op::oom_score_adj, static_cast<std::uint64_t>(std::int64_t{process.oom_score_adj})});
    for (const Rlimit& limit : process.rlimits)
        plan.push_back(
            {Op::rlimit, static_cast<std::uint64_t>(limit.resource), limit.soft, limit.hard});
}

void add_execution(Plan& plan, const Process& process, const std::vector<std::string>& environment,
                   bool terminal) {
    plan.push_back({Op::arguments, 0, 0, 0, process.args});
    plan.push_back({Op::environment, 0, 0, 0, environment});
    // Last before the exec, so that pid 1 too has no more rights than the workload.
    if (process.reaper) plan.push_back({Op::reaper});
    // The workload's and not the reaper's: only the leader of a session can take it.
    if (terminal) plan.push_back({Op::terminal});
    plan.push_back(
        {Op::execute, 0, 0, 0, candidates(process.args.at(0), value_of(environment, "PATH"))});
}

// The `ulimit` words for the kernel's numbers.
std::string resource_name(std::uint64_t resource) {
    constexpr const char* names[] = {
        "cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
        "memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"};
    return resource < std::size(names) ? names[resource] : std::to_string(resource);
}

std::string rlimit_text(std::uint64_t value) {
    return value == std::numeric_limits<std::uint64_t>::max() ? "unlimited" : std::to_string(value);
}

}  // namespace

Plan make_plan(const Spec& spec, const User& user, const std::vector<bool>& directories) {
    Plan plan;
    plan.push_back({Op::private_mounts});  // before the first mount
    plan.push_back({Op::set_hostname, 0, 0, 0, {spec.hostname}});
    if (spec.own_network) plan.push_back({Op::loopback_up});
    // The root is entered before anything is mounted in it: its symlinks can then lead nowhere
    // else.
    plan.push_back({Op::attach_root, 0});
    plan.push_back({Op::enter_root});
    plan.push_back(mount("/proc", "proc", nosuid_nodev_noexec));
    add_dev(plan, spec, directories.size() + 1);
    const std::uint64_t sys_access = spec.privileged ? 0 : MOUNT_ATTR_RDONLY;
    plan.push_back(mount("/sys", "sysfs", nosuid_nodev_noexec | sys_access));
    plan.push_back(mount("/sys/fs/cgroup", "cgroup2", nosuid_nodev_noexec | sys_access));
    add_mounts(plan, spec, directories);
    // After the mounts, whose targets may have had to be made.
    if (spec.root.read_only) plan.push_back({Op::seal_root});
    add_inherited(plan, spec.process);
    if (!spec.privileged) {
        for (const char* path : read_only_paths) plan.push_back({Op::read_only, 0, 0, 0, {path}});
        for (const char* path : masked_paths) plan.push_back({Op::mask, 0, 0, 0, {path}});
    }
    plan.push_back({Op::work_dir, 1, 0, 0, {spec.process.cwd}});
    add_privileges(plan, spec.process, user);
    add_execution(plan, spec.process,
                  full_environment(spec.process, spec.hostname, spec.terminal, user),
                  spec.terminal);
    return plan;
}

Plan make_entry_plan(const Process& process, const std::string& hostname, bool own_network,
                     bool terminal, const User& user) {
    Plan plan;
    // First: from here on every path is the container's. The pid namespace is its own from birth.
    plan.push_back({Op::join, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP |
                                  (own_network ? CLONE_NEWNET : 0ULL)});
    add_inherited(plan, process);
    plan.push_back({Op::work_dir, 0, 0, 0, {process.cwd}});
    add_privileges(plan, process, user);
    add_execution(plan, process, full_environment(process, hostname, terminal, user), terminal);
    return plan;
}

std::string encode(const Plan& plan) {
    std::string bytes(sizeof(wire::PlanHeader), '\0');
    for (const PlanStep& step : plan) {
        std::string texts;
        for (const std::string& text : step.texts) {
            texts += text;
            texts += '\0';
        }
        texts.resize((texts.size() + 7) / 8 * 8);
        const wire::StepHeader header{
            step.op, static_cast<std::uint32_t>(step.texts.size()), step.a, step.b,
            step.c,  static_cast<std::uint32_t>(texts.size()),      0};
        bytes.append(reinterpret_cast<const char*>(&header), sizeof header);
        bytes += texts;
        if (bytes.size() > wire::max_plan_bytes)
            fail(E2BIG, "pass the command and environment to the container");
    }
    const wire::PlanHeader header{wire::magic, static_cast<std::uint32_t>(plan.size()),
                                  bytes.size()};
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
}

std::string describe(const PlanStep& step) {
    const auto text = [&](std::size_t i) {
        return i < step.texts.size() ? step.texts[i] : std::string();
    };
    switch (step.op) {
        case Op::set_hostname: return "set the hostname " + text(0);
        case Op::loopback_up: return "bring the loopback device up";
        case Op::join: return "join the container's namespaces";
        case Op::private_mounts: return "make every mount private";
        case Op::attach_root: return "attach the root file system";
        case Op::enter_root: return "pivot into the root file system";
        case Op::mount: return "mount " + text(1) + " on " + text(0);
        case Op::attach: return "mount a volume on " + text(0);
        case Op::device: return "make the device " + text(0);
        case Op::symlink: return "make the symlink " + text(1);
        case Op::console: return "make /dev/console of the container's terminal";
        case Op::mask: return "mask " + text(0);
        case Op::read_only: return "make " + text(0) + " read-only";
        case Op::seal_root: return "make the root file system read-only";
        case Op::oom_score_adj: return "set oom_score_adj";
        case Op::rlimit:
            return "set the resource limit " + resource_name(step.a) + " to " +
                   rlimit_text(step.b) + ":" + rlimit_text(step.c);
        case Op::work_dir: return "enter the working directory " + text(0);
        case Op::bounding: return "drop capabilities from the bounding set";
        case Op::groups: return "set the supplementary groups";
        case Op::user:
            return "become user " + std::to_string(step.a) + ":" + std::to_string(step.b);
        case Op::capabilities: return "set the capabilities";
        case Op::no_new_privs: return "give up gaining privileges";
        case Op::reaper: return "fork the reaping pid 1";
        case Op::terminal: return "take the terminal";
        case Op::arguments: return "read the arguments";
        case Op::environment: return "read the environment";
        case Op::execute: return "execute the command";
    }
    return "do an unknown step";
}

InitFailure explain(const Plan& plan, const wire::StepFailure& failure, bool executing) {
    const std::string reason = std::strerror(failure.error);
    if (plan.empty() && executing)
        return {"execute the command: " + reason, failure.error == ENOENT ? 127 : 126};
    if (plan.empty() && failure.step != wire::no_whole_plan)
        return {"do step " + std::to_string(failure.step) + " of its start: " + reason, 125};
    if (failure.step >= plan.size()) return {"read the plan: " + reason, 125};
    const PlanStep& step = plan[failure.step];
    if (step.op != Op::execute) return {describe(step) + ": " + reason, 125};
    const auto arguments = std::ranges::find(plan, Op::arguments, &PlanStep::op);
    const std::string program = arguments != plan.end() ? arguments->texts.at(0) : step.texts.at(0);
    std::string text = "execute " + program + ": " + reason;
    if (failure.error == E2BIG)
        text += " (one argument or variable may have 128 KiB, all together a quarter of the stack)";
    if (failure.error != ENOENT) return {text, 126};
    if (program.find('/') == std::string::npos) text += " (searched in the container's PATH)";
    return {text, 127};
}

}  // namespace mydocker::runtime
