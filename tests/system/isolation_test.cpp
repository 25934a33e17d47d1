// What a workload sees: namespaces of its own, its own root, exactly the mounts that were asked
// for; and what it does to them, privileged or not, changes nothing outside.
#include <sys/mount.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/workload.hpp"

using namespace mydocker::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

Result shell(const Daemon& daemon, const json& keys, const std::string& script) {
    return run_script(daemon, script, keys);
}

const std::vector<std::string> namespaces = {"cgroup", "ipc", "mnt", "net", "pid", "uts"};

// Mounts over what matters most, as a container with all rights may.
constexpr auto mount_over_everything = R"(
    set -e
    mount -t proc proc /proc
    mount -t tmpfs tmpfs /dev
    mount -t tmpfs tmpfs /etc
    mount --bind /proc /sys
    mount -t tmpfs -o size=1m tmpfs /usr
)";

// A tmpfs of the host whose mounts are shared with every clone that is not made private.
class SharedMount {
public:
    explicit SharedMount(fs::path path) : path_(std::move(path)) {
        fs::create_directories(path_);
        BOOST_REQUIRE_EQUAL(::mount("tmpfs", path_.c_str(), "tmpfs", 0, nullptr), 0);
        BOOST_REQUIRE_EQUAL(::mount(nullptr, path_.c_str(), nullptr, MS_SHARED, nullptr), 0);
    }
    ~SharedMount() { ::umount2(path_.c_str(), MNT_DETACH); }
    SharedMount(const SharedMount&) = delete;
    SharedMount& operator=(const SharedMount&) = delete;

private:
    fs::path path_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(isolation)

BOOST_AUTO_TEST_CASE(it_is_pid_1_of_namespaces_of_its_own) {
    const Daemon daemon;
    const Result result = shell(daemon, json::object(),
                                "echo $$; hostname; ls /proc | grep -c '^[0-9]*$'; "
                                "cat /proc/self/cgroup; ls /sys/class/net; "
                                "cat /sys/class/net/lo/flags; cd /proc/self/ns; "
                                "readlink cgroup ipc mnt net pid uts");
    const std::vector<std::string> lines = lines_of(result.out);
    BOOST_REQUIRE_EQUAL(lines.size(), 6U + namespaces.size());
    BOOST_CHECK_EQUAL(lines[0], "1");
    BOOST_CHECK_EQUAL(lines[1], "web");
    BOOST_CHECK_LE(std::stoi(lines[2]), 3);  // the shell, ls and grep
    BOOST_CHECK_EQUAL(lines[3], "0::/");
    BOOST_CHECK_EQUAL(lines[4], "lo");
    BOOST_CHECK_EQUAL(lines[5], "0x9");  // up, loopback
    for (std::size_t i = 0; i < namespaces.size(); ++i)
        BOOST_CHECK_NE(lines[6 + i], link_text("/proc/self/ns/" + namespaces[i]));
    char host[256] = {};
    BOOST_CHECK_EQUAL(::gethostname(host, sizeof host), 0);
    BOOST_CHECK_NE(std::string(host), "web");
}

BOOST_AUTO_TEST_CASE(the_hosts_network_is_there_when_asked_for) {
    const Daemon daemon;
    const Result result = shell(daemon, {{"network", "host"}, {"hostname", "other"}},
                                "readlink /proc/self/ns/net; ls /sys/class/net; hostname");
    std::string expected = link_text("/proc/self/ns/net") + "\n";
    std::vector<std::string> devices;
    for (const auto& entry : fs::directory_iterator("/sys/class/net"))
        devices.push_back(entry.path().filename());
    std::ranges::sort(devices);
    for (const std::string& device : devices) expected += device + "\n";
    BOOST_CHECK_EQUAL(result.out, expected + "other\n");
}

BOOST_AUTO_TEST_CASE(its_cgroup_is_the_root_it_sees) {
    const Daemon daemon;
    BOOST_CHECK_EQUAL(shell(daemon, {{"mem_limit", "50m"}},
                            "cat /sys/fs/cgroup/memory.max; wc -l < /sys/fs/cgroup/cgroup.procs; "
                            "ls -d /sys/fs/cgroup/*/ 2> /dev/null")
                          .out,
                      "52428800\n2\n");
}

BOOST_AUTO_TEST_CASE(the_hosts_root_is_copied_on_write) {
    const Daemon daemon;
    const std::string passwd = read_file("/etc/passwd");
    const Result result = shell(daemon, json::object(),
                                "echo intruder >> /etc/passwd; rm /etc/group; touch /marker; "
                                "tail -n 1 /etc/passwd; ls -d /etc/group /marker 2> /dev/null");
    BOOST_CHECK_EQUAL(result.out, "intruder\n/marker\n");
    BOOST_CHECK_EQUAL(read_file("/etc/passwd"), passwd);
    BOOST_CHECK(fs::exists("/etc/group"));
    BOOST_CHECK(!fs::exists("/marker"));
}

BOOST_AUTO_TEST_CASE(volumes_tmpfs_and_a_read_only_root) {
    const Daemon daemon;
    const fs::path data = daemon.directory() / "volume";
    fs::create_directory(data);
    std::ofstream(data / "file") << "host\n";
    const Result result = shell(
        daemon,
        {{"read_only", true},
         {"volumes",
          {data.string() + ":/rw", data.string() + ":/ro:ro",
           (data / "file").string() + ":/one/file:ro"}},
         {"tmpfs", {"/scratch:size=1m,mode=700"}},
         {"shm_size", "2m"}},
        "cat /rw/file /ro/file /one/file; echo inside > /rw/made; cat /ro/made;"
        "for place in /ro/x /one/file /etc/x /x; do"
        "  { true >> $place; } 2> /dev/null && echo written: $place; done;"
        "for place in /rw/x /scratch/x /dev/shm/x; do true >> $place || echo not $place; done;"
        "mount -o remount,rw / 2> /dev/null && echo remounted;"
        "head -c 2000000 /dev/zero > /scratch/big 2> /dev/null || echo full;"
        "stat -c %a /scratch; stat -f -c '%b %S' /dev/shm;"
        "grep -c ' / overlay ro' /proc/mounts");
    BOOST_CHECK_EQUAL(result.out, "host\nhost\nhost\ninside\nfull\n700\n512 4096\n1\n");
    BOOST_CHECK_EQUAL(read_file(data / "made"), "inside\n");
    BOOST_CHECK(fs::exists(data / "x"));
}

BOOST_AUTO_TEST_CASE(environment_from_the_file_and_the_table) {
    const fs::path file = "/run/mydocker-test-environment";
    std::ofstream(file) << "# a comment\nFROM_FILE=file\nBOTH=file\n";
    const Daemon daemon(
        "version = 1\n[container.web]\ncommand = [\"env\"]\nenv_file = [\"" + file.string() +
        "\"]\nenvironment = { BOTH = \"table\", EMPTY = \"\", SPACED = \"a  b\" }\n");
    BOOST_REQUIRE(daemon.reaches("web", "exited"));
    std::vector<std::string> lines = lines_of(daemon.ctl({"logs", "web"}).out);
    std::ranges::sort(lines);
    const std::vector<std::string> expected = {
        "BOTH=table",     "EMPTY=",
        "FROM_FILE=file", "HOME=/root",
        "HOSTNAME=web",   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SPACED=a  b"};
    BOOST_CHECK_EQUAL_COLLECTIONS(lines.begin(), lines.end(), expected.begin(), expected.end());
    fs::remove(file);
}

BOOST_AUTO_TEST_CASE(resource_limits_and_oom_score) {
    const Daemon daemon;
    const auto nofile = [&](const json& options) {
        for (const std::string& line : lines_of(shell(daemon, options, "cat /proc/1/limits").out))
            if (line.starts_with("Max open files")) return line.substr(26);
        return std::string();
    };
    BOOST_CHECK(
        nofile({{"ulimits", {{"nofile", "100:200"}}}}).starts_with("100                  200 "));
    // Never mydockerd's own, which is raised.
    BOOST_CHECK(nofile(json::object()).starts_with("1024                 "));
    BOOST_CHECK_EQUAL(shell(daemon, {{"oom_score_adj", 321}}, "cat /proc/self/oom_score_adj").out,
                      "321\n");
    BOOST_CHECK_EQUAL(shell(daemon, {{"oom_score_adj", -7}}, "cat /proc/self/oom_score_adj").out,
                      "-7\n");
    BOOST_CHECK_EQUAL(shell(daemon, json::object(), "cat /proc/self/oom_score_adj").out, "0\n");
}

BOOST_AUTO_TEST_CASE(devices_are_the_few_and_they_work) {
    const Daemon daemon;
    const Result result =
        shell(daemon, json::object(),
              "cd /dev; find . -type b -o -type c | sort | tr '\\n' ' '; echo;"
              "head -c 3 zero | wc -c; head -c 3 urandom | wc -c; echo x > null && echo null;"
              "echo x 2> /dev/null > full || echo full; readlink fd stdin stdout stderr ptmx;"
              "stat -f -c %T pts shm mqueue; touch mqueue/q shm/s && echo both");
    BOOST_CHECK_EQUAL(result.out,
                      "./full ./null ./pts/ptmx ./random ./tty ./urandom ./zero \n3\n3\nnull\n"
                      "full\n/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n"
                      "pts/ptmx\ndevpts\ntmpfs\nmqueue\nboth\n");
}

BOOST_AUTO_TEST_CASE(mounts_over_proc_and_dev_stay_inside) {
    const Daemon daemon;
    const std::string before = host_mounts();
    const Result result = shell(daemon, {{"privileged", true}},
                                std::string(mount_over_everything) +
                                    "while read -r line; do :; done < /proc/mounts; "
                                    "echo mounted");
    BOOST_CHECK_EQUAL(result.out, "mounted\n");
    BOOST_CHECK_EQUAL(host_mounts(), before);
    const std::string pid = std::to_string(daemon.pid());
    BOOST_CHECK(fs::exists("/proc/" + pid + "/status"));
    BOOST_CHECK(fs::exists("/dev/null"));
    BOOST_CHECK(fs::exists("/etc/passwd"));
}

BOOST_AUTO_TEST_CASE(mounts_in_a_shared_root_and_volume_stay_inside_while_they_stand) {
    const Daemon daemon;
    const SharedMount mount("/run/mydocker-test-shared");
    const fs::path rootfs = "/run/mydocker-test-shared/rootfs";
    make_rootfs(rootfs);
    fs::create_directories("/run/mydocker-test-shared/volume/place");
    const std::string before = host_mounts();
    BOOST_REQUIRE_NE(before.find("/run/mydocker-test-shared rw"), std::string::npos);
    BOOST_REQUIRE_NE(before.find("shared:"), std::string::npos);
    const Result started =
        daemon.ctl({"run", "-d", "--name", "shared", "--privileged", "--rootfs", rootfs, "-v",
                    usr_volume, "-v", "/run/mydocker-test-shared/volume:/volume", "/bin/sh", "-c",
                    "mount -t tmpfs x /volume/place && mkdir /here && mount -t tmpfs x /here && "
                    "mount -t proc proc /proc && echo mounted && exec sleep 1000"});
    BOOST_REQUIRE_EQUAL(started.status, 0);
    const bool mounted = eventually([&] {
        return daemon.ctl({"logs", "shared"}).out == "mounted\n";
    });
    BOOST_CHECK(mounted);
    BOOST_CHECK_EQUAL(host_mounts(), before);
    BOOST_CHECK_EQUAL(daemon.ctl({"rm", "-f", "shared"}).status, 0);
    BOOST_CHECK_EQUAL(host_mounts(), before);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tiny_init)

BOOST_AUTO_TEST_CASE(it_reaps_orphans_and_ends_as_the_workload_ends) {
    const Daemon daemon;
    const std::string orphans =
        "for i in 1 2 3; do (sleep 0.1 &); done; sleep 1.5; grep -l '^State:.Z' "
        "/proc/[0-9]*/status | wc -l; cat /proc/1/comm; exit 9";
    const Result with_init = shell(daemon, {{"init", true}}, orphans);
    BOOST_CHECK_EQUAL(with_init.out, "0\nmydocker-init\n");
    BOOST_CHECK_EQUAL(with_init.status, 9);
    // Without it they fall to the workload, which, being sleep, does not know them.
    const Result without = shell(daemon, json::object(),
                                 "(for i in 1 2 3; do (sleep 0.1 &); done; sleep 1.5; "
                                 "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l) & exec sleep 4");
    BOOST_CHECK_EQUAL(without.out, "3\n");
}

BOOST_AUTO_TEST_CASE(it_forwards_signals_that_pid_1_would_not_see) {
    const Daemon daemon(R"(version = 1
[container.without]
command = ["sleep", "1000"]
stop_grace_period = "2s"
[container.with]
command = ["sleep", "1000"]
init = true
stop_grace_period = "60s"
[container.user]
command = ["/bin/sh", "-c", "trap 'echo caught; exit 5' USR1; while :; do sleep 0.1; done"]
init = true
)");
    for (const char* name : {"with", "without", "user"})
        BOOST_REQUIRE(daemon.reaches(name, "running"));
    // The trap must stand before the signal comes.
    std::string user_cgroup = daemon.inspect("user").at("cgroup");
    BOOST_REQUIRE(eventually([&] { return processes_in(user_cgroup).size() >= 3; }));
    const Result signalled = daemon.ctl({"kill", "-s", "USR1", "user"});
    BOOST_CHECK_MESSAGE(signalled.status == 0, signalled.err);
    BOOST_CHECK(daemon.reaches("user", "failed"));
    BOOST_CHECK_EQUAL(daemon.inspect("user").at("exit_code"), 5);
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "user"}).out, "caught\n");
    const auto begin = std::chrono::steady_clock::now();
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "with"}).status, 0);
    BOOST_CHECK(std::chrono::steady_clock::now() - begin < 20s);
    BOOST_CHECK_EQUAL(daemon.inspect("with").at("exit_code"), 143);
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "without"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.inspect("without").at("exit_code"), 137);
    const auto warnings = daemon.inspect("without").at("warnings");
    BOOST_REQUIRE_EQUAL(warnings.size(), 1U);
    BOOST_CHECK(warnings[0].get<std::string>().find("init = true") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(it_works_with_prearm) {
    const fs::path out = "/run/mydocker-test-prearm";
    fs::create_directory(out);
    const Daemon daemon(R"(version = 1
[container.web]
command = ["/bin/sh", "-c", "[ -e /out/crashed ] && exec sleep 1000; touch /out/crashed; exit 3"]
volumes = ["/run/mydocker-test-prearm:/out"]
init = true
restart = { policy = "on-failure", delay = "2s", prearm = true }
)");
    BOOST_REQUIRE(eventually([&] {
        const auto shown = daemon.inspect("web");
        return shown.value("state", "") == "running" && shown.value("attempt", 0) == 2;
    }));
    const pid_t pid = daemon.inspect("web").at("pid");
    BOOST_CHECK(executable_of(pid).filename().string().starts_with("memfd:mydocker-init"));
    BOOST_CHECK(eventually([&] {
        const auto below = descendants_of(pid);
        return below.size() == 1 && executable_of(below.front()).filename() == "sleep";
    }));
    fs::remove_all(out);
}

BOOST_AUTO_TEST_SUITE_END()
