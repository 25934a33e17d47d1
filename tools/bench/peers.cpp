// See peers.hpp.
#include "tools/bench/peers.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <system_error>
#include <thread>

namespace mydocker::bench {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;

namespace {

// Docker's default capabilities; those of the full recipe.
const Words capabilities = {
    "CAP_CHOWN",      "CAP_DAC_OVERRIDE", "CAP_FOWNER",      "CAP_FSETID",           "CAP_KILL",
    "CAP_SETGID",     "CAP_SETUID",       "CAP_SETPCAP",     "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",
    "CAP_SYS_CHROOT", "CAP_MKNOD",        "CAP_AUDIT_WRITE", "CAP_SETFCAP"};

json oci_mount(const char* target, const char* type, const Words& options) {
    return {{"destination", target}, {"type", type}, {"source", type}, {"options", options}};
}

// config.json of the OCI runtime spec, as near to the recipe as its words allow.
json oci_spec(const Scene& scene, Recipe recipe) {
    const bool full = recipe == Recipe::full;
    json namespaces = json::array();
    for (const char* type : {"pid", "mount", "uts", "ipc", "cgroup"})
        namespaces.push_back({{"type", type}});
    if (full) namespaces.push_back({{"type", "network"}});
    json mounts = {oci_mount("/proc", "proc", {"nosuid", "noexec", "nodev"}),
                   oci_mount("/dev", "tmpfs", {"nosuid", "mode=755", "size=65536k"})};
    json process = {{"args", {"/mydocker-true"}},
                    {"cwd", "/"},
                    {"env", {"PATH=/"}},
                    {"user", {{"uid", 0}, {"gid", 0}}},
                    {"noNewPrivileges", full}};
    json linux = {{"namespaces", namespaces}, {"cgroupsPath", "/oci"}};
    if (full) {
        mounts.push_back(
            oci_mount("/dev/pts", "devpts",
                      {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}));
        mounts.push_back(
            oci_mount("/dev/shm", "tmpfs", {"nosuid", "noexec", "nodev", "mode=1777"}));
        mounts.push_back(oci_mount("/dev/mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
        mounts.push_back(oci_mount("/sys", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
        mounts.push_back(
            oci_mount("/sys/fs/cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"}));
        for (const char* set : {"bounding", "effective", "permitted"})
            process["capabilities"][set] = capabilities;
        linux["maskedPaths"] = {
            "/proc/acpi",        "/proc/asound",  "/proc/interrupts",
            "/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
            "/proc/sched_debug", "/proc/scsi",    "/proc/timer_list",
            "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap"};
        linux["readonlyPaths"] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                  "/proc/sysrq-trigger"};
    }
    return {{"ociVersion", "1.0.2"}, {"root", {{"path", scene.rootfs()}}},
            {"hostname", "peer"},    {"process", process},
            {"mounts", mounts},      {"linux", linux}};
}

struct Program {
    const char* name;
    Words command;
};

std::vector<Program> programs(const Scene& scene, Recipe recipe, const std::string& bundle) {
    const bool full = recipe == Recipe::full;
    const std::string rootfs = scene.rootfs();
    Words bwrap = {"bwrap",         "--bind",        rootfs,         "/",
                   "--proc",        "/proc",         "--dev",        "/dev",
                   "--unshare-pid", "--unshare-uts", "--unshare-ipc"};
    Words podman = {"podman",
                    "--root",
                    bundle + "/storage",
                    "--runroot",
                    bundle + "/run",
                    "run",
                    "--rm",
                    "--cgroups=disabled",
                    "--log-driver",
                    "none",
                    full ? "--network=none" : "--network=host",
                    "--ulimit=nofile=1024:1024",
                    "--ulimit=nproc=1024:1024"};
    if (full)
        bwrap.insert(bwrap.end(), {"--unshare-net", "--unshare-cgroup", "--cap-drop", "ALL"});
    else
        podman.push_back("--privileged");
    bwrap.push_back("/mydocker-true");
    podman.insert(podman.end(), {"--rootfs", rootfs, "/mydocker-true"});
    return {{"bwrap", bwrap},
            {"crun",
             {"crun", "--root", bundle + "/crun", "--cgroup-manager=disabled", "run", "--bundle",
              bundle, "peer"}},
            {"runc", {"runc", "--root", bundle + "/runc", "run", "--bundle", bundle, "peer"}},
            {"podman", podman}};
}

// In the child: below the scratch cgroup, which is all of the cgroup tree that it can see.
bool enter_sandbox(const std::string& cgroup) {
    std::ofstream(cgroup + "/cgroup.procs") << 0 << std::flush;
    return ::unshare(CLONE_NEWCGROUP | CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::umount2("/sys/fs/cgroup", MNT_DETACH) == 0 &&
           ::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0;
}

int execute(const Words& words, int output) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
        const int nothing = ::open("/dev/null", O_RDONLY);
        ::dup2(nothing, 0);
        ::dup2(output, 1);
        ::dup2(output, 2);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
}

// What double-forked (conmon) is handed to us, and is not left behind as zombies.
void reap_strays() {
    for (int patience = 0; patience < 100; ++patience) {
        const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
        if (pid < 0) return;  // none is left
        if (pid == 0) std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}

// In the sandbox. Writes {began, ran, ended} for each run down the pipe.
void run_all(const Words& command, unsigned count, Marks& marks, int pipe, int output) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (unsigned i = 0; i < count; ++i) {
        marks.skip();
        Nanoseconds times[3] = {now(), 0, 0};
        if (execute(command, output) != 0) ::_exit(1);
        times[2] = now();
        times[1] = marks.next();
        if (::write(pipe, times, sizeof times) != sizeof times) ::_exit(1);
        reap_strays();
    }
    ::_exit(0);
}

std::string last_line(const fs::path& path) {
    std::ifstream in(path);
    std::string last;
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) last = line;
    return last;
}

// With what a peer made inside; false while something is alive in it.
bool remove_cgroup(const fs::path& path) {
    for (const auto& entry : fs::directory_iterator(path))
        if (entry.is_directory()) remove_cgroup(entry.path());
    return ::rmdir(path.c_str()) == 0;
}

bool installed(const std::string& name) {
    for (const char* directory : {"/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"})
        if (fs::exists(fs::path(directory) / name)) return true;
    return false;
}

}  // namespace

std::vector<Peer> measure_peers(const Scene& scene, Marks& marks, Recipe recipe, unsigned count) {
    const fs::path bundle = scene.scratch() / "peers";
    fs::create_directories(bundle);
    std::ofstream(bundle / "config.json") << oci_spec(scene, recipe).dump(1);
    std::vector<Peer> peers;
    for (const auto& [name, command] : programs(scene, recipe, bundle)) {
        Peer peer{name, "", {}, {}};
        if (!installed(name)) {
            peer.skipped = "not installed";
            peers.push_back(peer);
            continue;
        }
        const fs::path cgroup = scene.cgroup() / "peer";
        fs::create_directory(cgroup);
        const fs::path log = bundle / "output";
        const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int pipe[2];
        if (output < 0 || ::pipe2(pipe, O_CLOEXEC) < 0)
            throw std::system_error(errno, std::generic_category(), "prepare the peers");
        const bool slow = std::string(name) == "podman";
        const pid_t pid = ::fork();
        if (pid == 0) {
            if (!enter_sandbox(cgroup)) ::_exit(2);
            run_all(command, slow ? count / 10 + 3 : count, marks, pipe[1], output);
        }
        ::close(pipe[1]);
        Nanoseconds times[3];
        while (::read(pipe[0], times, sizeof times) == sizeof times) {
            peer.to_exec.push_back(static_cast<double>(times[1] - times[0]) / 1000);
            peer.to_cleaned.push_back(static_cast<double>(times[2] - times[0]) / 1000);
        }
        ::close(pipe[0]);
        ::close(output);
        int status = 0;
        ::waitpid(pid, &status, 0);
        if (status != 0) peer.skipped = "it failed here: " + last_line(log);
        peers.push_back(peer);
        // What a peer has left running (podman cleans up behind our back) goes with its cgroup.
        std::ofstream(cgroup / "cgroup.kill") << 1 << std::flush;
        for (int patience = 0; patience < 200 && !remove_cgroup(cgroup); ++patience)
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return peers;
}

}  // namespace mydocker::bench
