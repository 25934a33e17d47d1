// The memory limit and its end: `stress`'s workers are inside the container's cgroup from their
// first instruction, and what the kernel kills for want of memory is told as that.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"

using namespace mydocker::tests;

namespace {

constexpr unsigned long long mebibyte = 1ULL << 20;

// Two workers of 80 MiB in a container of 50: a shell starts them, so that something can go on.
std::string host_file(const std::string& oom_policy) {
    return R"(version = 1
[container.hog]
command = ["/bin/sh", "-c", '''
    trap 'echo told to stop; exit 0' TERM
    stress --vm 2 --vm-bytes 80m --vm-keep
    echo survived
    while :; do sleep 0.2; done
''']
mem_limit = "50m"
init = false
oom_policy = ")" +
           oom_policy + "\"\n";
}

nlohmann::json last_attempt(const Daemon& daemon, const std::string& container) {
    const auto attempts = daemon.inspect(container).at("attempts");
    BOOST_REQUIRE(!attempts.empty());
    return attempts.back();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(every_worker_of_stress_is_in_the_cgroup_and_under_its_limit) {
    const Daemon daemon(R"(version = 1
[container.stress]
command = ["stress", "--vm", "2", "--vm-bytes", "10m", "--vm-keep"]
mem_limit = "50m"
)");
    BOOST_REQUIRE(daemon.reaches("stress", "running"));
    const auto shown = daemon.inspect("stress");
    const pid_t pid = shown.at("pid");
    const std::filesystem::path cgroup = shown.at("cgroup").get<std::string>();
    BOOST_REQUIRE(eventually([&] { return descendants_of(pid).size() == 2; }));
    std::vector<pid_t> family = descendants_of(pid);
    family.insert(std::ranges::lower_bound(family, pid), pid);
    const std::vector<pid_t> inside = processes_in(cgroup);
    BOOST_CHECK_EQUAL_COLLECTIONS(inside.begin(), inside.end(), family.begin(), family.end());

    unsigned long long highest = 0;
    int samples = 0;
    BOOST_CHECK(eventually([&] {
        highest = std::max(highest, std::stoull(read_file(cgroup / "memory.current")));
        return ++samples >= 100 && highest >= 20 * mebibyte;  // the workers' memory counts here
    }));
    BOOST_CHECK_LE(highest, 50 * mebibyte);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("stress", "memory.max"), std::to_string(50 * mebibyte));
    BOOST_CHECK_EQUAL(flat_value_of(read_file(cgroup / "memory.events"), "oom_kill"), 0U);
    BOOST_CHECK_EQUAL(daemon.state("stress"), "running");
}

BOOST_AUTO_TEST_CASE(stress_beyond_the_limit_ends_as_oom_not_as_signal_9) {
    const Daemon daemon(R"(version = 1
[container.stress]
command = ["stress", "--vm", "2", "--vm-bytes", "80m", "--vm-keep"]
mem_limit = "50m"
)");
    BOOST_REQUIRE(daemon.reaches("stress", "failed"));
    const auto attempt = last_attempt(daemon, "stress");
    BOOST_CHECK_EQUAL(attempt.at("cause"), "oom");
    BOOST_CHECK_EQUAL(attempt.at("exit_code"), 1);  // stress's own: a worker was taken from it
    BOOST_CHECK_GE(attempt.at("oom_kills").get<int>(), 1);
    BOOST_CHECK_LE(attempt.at("memory_peak").get<unsigned long long>(), 50 * mebibyte);
    const Result explained = daemon.ctl({"explain", "stress"});
    BOOST_CHECK_EQUAL(explained.status, 0);
    BOOST_CHECK_MESSAGE(contains(explained.out, "ran out of memory (exited with code 1)"),
                        explained.out);
}

// tail keeps a line without an end in memory: pid 1 itself is what the kernel kills.
BOOST_AUTO_TEST_CASE(a_workload_killed_itself_is_oom_and_its_policy_sees_that) {
    const Daemon daemon(R"(version = 1
[container.hog]
command = ["tail", "/dev/zero"]
mem_limit = "20m"
restart = { policy = "on-failure", on = ["oom"], attempts = 1, delay = "10ms" }
[container.plain]
command = ["/bin/sh", "-c", "exit 3"]
mem_limit = "20m"
restart = { policy = "on-failure", on = ["oom"], attempts = 1, delay = "10ms" }
)");
    BOOST_REQUIRE(daemon.reaches("hog", "failed"));
    const auto shown = daemon.inspect("hog");
    BOOST_REQUIRE_EQUAL(shown.at("attempts").size(), 2U);
    for (const auto& attempt : shown.at("attempts")) {
        BOOST_CHECK_EQUAL(attempt.at("cause"), "oom");
        BOOST_CHECK_EQUAL(attempt.at("signal"), "SIGKILL");
        BOOST_CHECK_EQUAL(attempt.at("oom_kills"), 1);
        const std::string reason = attempt.at("verdict").at("reason");
        BOOST_CHECK_MESSAGE(reason.starts_with("ran out of memory (killed by SIGKILL); "), reason);
    }
    BOOST_CHECK_EQUAL(shown.at("exit_code"), 137);
    BOOST_REQUIRE(daemon.reaches("plain", "failed"));
    BOOST_CHECK_EQUAL(daemon.inspect("plain").at("attempts").size(), 1U);
    BOOST_CHECK_EQUAL(last_attempt(daemon, "plain").at("cause"), "exit");
}

BOOST_AUTO_TEST_CASE(policy_continue_loses_one_process_and_goes_on) {
    const Daemon daemon(host_file("continue"));
    BOOST_REQUIRE(eventually([&] {
        return contains(daemon.ctl({"logs", "hog"}).out, "survived");
    }));
    BOOST_CHECK_EQUAL(daemon.state("hog"), "running");
    BOOST_CHECK_EQUAL(daemon.inspect("hog").at("attempt"), 1);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("hog", "memory.oom.group"), "0");
    BOOST_CHECK_GE(flat_value_of(daemon.cgroup_file("hog", "memory.events"), "oom_kill"), 1U);
}

BOOST_AUTO_TEST_CASE(policy_stop_ends_the_container_in_an_orderly_way) {
    const Daemon daemon(host_file("stop"));
    BOOST_REQUIRE(daemon.reaches("hog", "failed"));
    const auto attempt = last_attempt(daemon, "hog");
    BOOST_CHECK_EQUAL(attempt.at("cause"), "oom");
    BOOST_CHECK_EQUAL(attempt.at("exit_code"), 0);  // its handler's: an oom all the same
    BOOST_CHECK_GE(attempt.at("oom_kills").get<int>(), 1);
    BOOST_CHECK_MESSAGE(contains(daemon.ctl({"logs", "hog"}).out, "told to stop"),
                        daemon.ctl({"logs", "hog"}).out);
}

BOOST_AUTO_TEST_CASE(policy_kill_takes_the_whole_container_at_once) {
    const Daemon daemon(host_file("kill"));
    BOOST_REQUIRE(daemon.reaches("hog", "failed"));
    const auto attempt = last_attempt(daemon, "hog");
    BOOST_CHECK_EQUAL(attempt.at("cause"), "oom");
    BOOST_CHECK_EQUAL(attempt.at("signal"), "SIGKILL");
    BOOST_CHECK_GE(attempt.at("oom_kills").get<int>(), 2);
    const std::string log = daemon.ctl({"logs", "hog"}).out;
    BOOST_CHECK_MESSAGE(!contains(log, "survived") && !contains(log, "told"), log);
}

// A process lost on the way does not spoil a clean end, but it is on record.
BOOST_AUTO_TEST_CASE(a_clean_end_after_a_kill_is_clean_and_counts_the_kill) {
    const Daemon daemon(R"(version = 1
[container.hog]
command = ["/bin/sh", "-c", "tail /dev/zero; exit 0"]
mem_limit = "20m"
)");
    BOOST_REQUIRE(daemon.reaches("hog", "exited"));
    BOOST_CHECK_EQUAL(last_attempt(daemon, "hog").at("cause"), "clean");
    BOOST_CHECK_GE(last_attempt(daemon, "hog").at("oom_kills").get<int>(), 1);
}

BOOST_AUTO_TEST_SUITE_END()
