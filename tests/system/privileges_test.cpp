// What a workload may do: capabilities, users, no new privileges, and the places of /proc and /sys
// that it cannot see or change. Read from the kernel, by the workload itself.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/workload.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

// /proc/self/status as the workload itself sees it: nothing but its init stood before it.
std::string status_of(const Daemon& daemon, json keys = json::object()) {
    keys["command"] = {"cat", "/proc/self/status"};
    const Result result = run_to_end(daemon, keys);
    BOOST_REQUIRE_EQUAL(result.status, 0);
    return result.out;
}

constexpr auto no_capabilities = "0000000000000000";
constexpr auto default_set = "00000000a80425fb";  // Docker's
constexpr auto net_bind_service = "0000000000000400";

struct Sets {
    std::string effective, permitted, inheritable, ambient, bounding;
};

void check_sets(const std::string& status, const Sets& expected) {
    BOOST_CHECK_EQUAL(field_of(status, "CapEff"), expected.effective);
    BOOST_CHECK_EQUAL(field_of(status, "CapPrm"), expected.permitted);
    BOOST_CHECK_EQUAL(field_of(status, "CapInh"), expected.inheritable);
    BOOST_CHECK_EQUAL(field_of(status, "CapAmb"), expected.ambient);
    BOOST_CHECK_EQUAL(field_of(status, "CapBnd"), expected.bounding);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(privileges)

BOOST_AUTO_TEST_CASE(root_has_dockers_default_set_and_gains_nothing) {
    const Daemon daemon;
    const std::string status = status_of(daemon);
    check_sets(status, {default_set, default_set, no_capabilities, no_capabilities, default_set});
    BOOST_CHECK_EQUAL(field_of(status, "NoNewPrivs"), "1");
    BOOST_CHECK_EQUAL(field_of(status, "Uid"), "0\t0\t0\t0");
    BOOST_CHECK_EQUAL(field_of(status, "Groups"), "");
}

BOOST_AUTO_TEST_CASE(nothing_of_signals_and_umask_is_inherited) {
    const Daemon daemon;
    const std::string status = status_of(daemon);
    for (const char* mask : {"SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"})
        BOOST_CHECK_EQUAL(field_of(status, mask), "0000000000000000");
    BOOST_CHECK_EQUAL(field_of(status, "Umask"), "0022");
    BOOST_CHECK_EQUAL(field_of(status, "Pid"), "1");
    // Through the reaping pid 1, whose own signals are all blocked, just as well.
    const std::string with_init = status_of(daemon, {{"init", true}});
    for (const char* mask : {"SigBlk", "SigIgn", "SigCgt"})
        BOOST_CHECK_EQUAL(field_of(with_init, mask), "0000000000000000");
    BOOST_CHECK_EQUAL(field_of(with_init, "Pid"), "2");
}

BOOST_AUTO_TEST_CASE(another_user_has_no_capability_and_can_write_to_its_outputs) {
    const Daemon daemon;
    for (const std::string user : {"nobody", "65534:65534", "1000:1000", "1000:daemon"}) {
        BOOST_TEST_CONTEXT(user) {
            const std::string status = status_of(daemon, {{"user", user}});
            check_sets(status, {no_capabilities, no_capabilities, no_capabilities, no_capabilities,
                                default_set});
            const std::string uid = user.starts_with("1000") ? "1000" : "65534";
            const std::string gid = user.ends_with("daemon") ? "1" : uid;
            BOOST_CHECK_EQUAL(field_of(status, "Uid"), uid + "\t" + uid + "\t" + uid + "\t" + uid);
            BOOST_CHECK_EQUAL(field_of(status, "Gid"), gid + "\t" + gid + "\t" + gid + "\t" + gid);
            BOOST_CHECK_EQUAL(field_of(status, "Groups"), "");
        }
    }
    const Result result = run_script(daemon,
                                     "echo out > /dev/stdout; echo err > /dev/stderr; "
                                     "echo null > /dev/null; touch /etc/mine 2> /dev/null",
                                     {{"user", "nobody"}});
    BOOST_CHECK_EQUAL(result.out, "out\n");
    BOOST_CHECK_EQUAL(result.err, "err\n");
    BOOST_CHECK_NE(result.status, 0);  // /etc is root's
}

BOOST_AUTO_TEST_CASE(supplementary_groups_and_home_come_from_the_containers_own_files) {
    const Daemon daemon;
    const auto rootfs = daemon.directory() / "rootfs";
    make_rootfs(rootfs);
    std::ofstream(rootfs / "etc/passwd") << "app:x:4711:4712::/home/app:/bin/sh\n";
    std::ofstream(rootfs / "etc/group") << "app:x:4712:\nlogs:x:4713:web,app\ntapes:x:4714:app\n";
    json keys = {{"rootfs", rootfs}, {"volumes", {usr_volume}}, {"user", "app"}};
    BOOST_CHECK_EQUAL(run_script(daemon, "id -u; id -g; id -G; echo $HOME", keys).out,
                      "4711\n4712\n4712 4713 4714\n/home/app\n");
    keys["user"] = "4711:4714";
    BOOST_CHECK_EQUAL(run_script(daemon, "id -u; id -G", keys).out, "4711\n4714\n");
}

BOOST_AUTO_TEST_CASE(only_what_is_asked_for_by_name_is_given) {
    const Daemon daemon;
    json one = {{"cap_drop", {"ALL"}}, {"cap_add", {"NET_BIND_SERVICE"}}};
    check_sets(status_of(daemon, one), {net_bind_service, net_bind_service, no_capabilities,
                                        no_capabilities, net_bind_service});
    one["user"] = "1000:1000";
    check_sets(status_of(daemon, one), {net_bind_service, net_bind_service, net_bind_service,
                                        net_bind_service, net_bind_service});
    check_sets(
        status_of(daemon, {{"cap_drop", {"ALL"}}}),
        {no_capabilities, no_capabilities, no_capabilities, no_capabilities, no_capabilities});
    // CHOWN is bit 0, SYS_ADMIN bit 21.
    const std::string changed =
        status_of(daemon, {{"cap_drop", {"CHOWN"}}, {"cap_add", {"SYS_ADMIN"}}});
    BOOST_CHECK_EQUAL(field_of(changed, "CapEff"), "00000000a82425fa");
    BOOST_CHECK_EQUAL(field_of(changed, "CapBnd"), "00000000a82425fa");
    // And they do what they say.
    BOOST_CHECK_EQUAL(run_script(daemon, "touch /f && chown 1000 /f && echo changed").out,
                      "changed\n");
    BOOST_CHECK_EQUAL(
        run_script(daemon, "touch /f && chown 1000 /f && echo changed", {{"cap_drop", {"CHOWN"}}})
            .out,
        "");
}

BOOST_AUTO_TEST_CASE(privileged_means_all_of_it) {
    const Daemon daemon;
    const std::string status = status_of(daemon, {{"privileged", true}});
    const std::string all = status_field(1, "CapBnd");
    check_sets(status, {all, all, field_of(status, "CapInh"), field_of(status, "CapAmb"), all});
    BOOST_CHECK_EQUAL(field_of(status, "NoNewPrivs"), "0");
    BOOST_CHECK_EQUAL(
        run_script(daemon,
                   "echo changed > /proc/sys/kernel/hostname && hostname; "
                   "mkdir /sys/fs/cgroup/child && echo made; "
                   "grep -q . /proc/interrupts && echo seen; mount -t tmpfs x /mnt && echo mounted",
                   {{"privileged", true}})
            .out,
        "changed\nmade\nseen\nmounted\n");
}

BOOST_AUTO_TEST_CASE(places_that_tell_of_the_host_are_empty) {
    const Daemon daemon;
    BOOST_REQUIRE(!read_file("/proc/interrupts").empty());  // else there were nothing to hide
    const std::string script =
        "for file in kcore keys interrupts timer_list sched_debug; do"
        "  [ ! -e /proc/$file ] || echo $file $(head -c 100 /proc/$file | wc -c); done;"
        "for place in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do"
        "  [ ! -e $place ] || echo $place $(ls -A $place | wc -l)"
        "    $(touch $place/x 2> /dev/null && echo written); done";
    std::size_t masked = 0;
    for (const std::string& line : lines_of(run_script(daemon, script).out)) {
        BOOST_CHECK_MESSAGE(line.ends_with(" 0"), line);
        ++masked;
    }
    BOOST_CHECK_GE(masked, 4U);
}

BOOST_AUTO_TEST_CASE(the_kernels_switches_are_read_only) {
    const Daemon daemon;
    const std::string hostname = read_file("/proc/sys/kernel/hostname");
    const std::string script =
        "for file in /proc/sys/kernel/hostname /proc/sys/vm/drop_caches /proc/sysrq-trigger"
        "    /proc/irq/default_smp_affinity /sys/fs/cgroup/memory.max /sys/kernel/mm/ksm/run; do"
        "  { true >> $file; } 2> /dev/null && echo writable: $file; done;"
        "mkdir /sys/fs/cgroup/child 2> /dev/null && echo a cgroup;"
        "mount -t tmpfs x /mnt 2> /dev/null && echo a mount;"
        "mount -o remount,rw /proc/sys 2> /dev/null && echo a remount;"
        "mknod /disk b 254 0 2> /dev/null && head -c 1 /disk 2> /dev/null | wc -c;"
        "echo done";
    // A device node may be made (MKNOD is in Docker's set). Without a device controller it can be
    // opened too, where the host has that disk; this machine has none.
    const std::vector<std::string> lines = lines_of(run_script(daemon, script).out);
    for (const std::string& line : lines) BOOST_CHECK_MESSAGE(line == "done" || line == "0", line);
    BOOST_CHECK(!lines.empty() && lines.back() == "done");
    BOOST_CHECK_EQUAL(read_file("/proc/sys/kernel/hostname"), hostname);
}

BOOST_AUTO_TEST_CASE(no_descriptor_but_the_three_is_open) {
    const Daemon daemon;
    // 3 is the directory that ls itself reads.
    BOOST_CHECK_EQUAL(run_to_end(daemon, {{"command", {"ls", "/proc/self/fd"}}}).out,
                      "0\n1\n2\n3\n");
    const Result many = run_to_end(daemon, {{"command", {"/bin/ls", "/proc/self/fd", "/proc/1/fd"}},
                                            {"volumes", {"/etc:/a", "/usr:/b"}},
                                            {"init", true}});
    BOOST_CHECK_EQUAL(many.out, "/proc/1/fd:\n\n/proc/self/fd:\n0\n1\n2\n3\n");
    BOOST_CHECK_EQUAL(
        run_to_end(daemon, {{"command", {"readlink", "/proc/self/fd/0", "/proc/self/cwd"}}}).out,
        "/dev/null\n/\n");
}

BOOST_AUTO_TEST_SUITE_END()
