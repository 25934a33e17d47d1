// Pause: nothing of the container runs, the kernel says so, and every other command still works on
// it.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/ordered_faults.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

// Counts in a file that the test reads, and ends at once when asked to.
std::string counter(const Directory& directory, const std::string& keys = "") {
    return "[container.web]\ncommand = [\"sh\", \"-c\", \"trap 'exit 7' TERM; i=0; while :; do "
           "i=$((i+1)); "
           "echo $i > /count/it; sleep 0.02; done\"]\nvolumes = [\"" +
           directory.path().string() + ":/count\"]\n" + keys;
}

std::string count(const Directory& directory) { return read_file(directory / "it"); }

bool counts(const Directory& directory) {
    const std::string before = count(directory);
    return eventually([&] { return count(directory) != before; });
}

// Shown by what does not happen in a while in which it would have happened many times.
bool stands_still(const Directory& directory) {
    const std::string before = count(directory);
    std::this_thread::sleep_for(500ms);
    return count(directory) == before;
}

pid_t init_of(const Daemon& daemon) { return daemon.inspect("web").at("pid"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(pausing)

BOOST_AUTO_TEST_CASE(all_of_it_stands_still_and_goes_on) {
    const Directory directory;
    const Daemon daemon(counter(directory));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(counts(directory));
    const pid_t pid = init_of(daemon);
    BOOST_TEST(daemon.ctl({"pause", "web"}).out == "web\n");
    BOOST_TEST(daemon.state("web") == "paused");
    BOOST_TEST(contains(daemon.cgroup_file("web", "cgroup.events"), "frozen 1"));
    BOOST_TEST(stands_still(directory));
    BOOST_TEST(contains(daemon.ctl({"ps"}).out, "(Paused)"));
    const Result explained = daemon.ctl({"explain", "web"});
    BOOST_TEST(contains(explained.out, "web is paused: paused by the operator"));
    BOOST_TEST(contains(explained.out, "mydocker-ctl unpause web"));
    BOOST_TEST(daemon.ctl({"unpause", "web"}).status == 0);
    BOOST_TEST(daemon.state("web") == "running");
    BOOST_TEST(counts(directory));
    BOOST_TEST(init_of(daemon) == pid);
    BOOST_TEST(states(daemon, "web") == "starting running paused running");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused) {
    const Directory directory;
    const Daemon daemon(counter(directory) +
                        "[container.idle]\ncommand = [\"true\"]\nautostart = \"no\"\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const Result idle = daemon.ctl({"pause", "idle"});
    BOOST_TEST(idle.status == 1);
    BOOST_TEST(contains(idle.err, "only a running container can be paused"));
    BOOST_TEST(contains(daemon.ctl({"unpause", "web"}).err, "web is running, and not paused"));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    BOOST_TEST(contains(daemon.ctl({"pause", "web"}).err, "paused already"));
    const Result start = daemon.ctl({"start", "web"});
    BOOST_TEST(start.status == 1);
    BOOST_TEST(contains(start.err, "mydocker-ctl unpause web"));
    BOOST_TEST(daemon.state("web") == "paused");
}

// moby#15853: a frozen process cannot heed the signal.
BOOST_AUTO_TEST_CASE(a_stop_thaws_it_to_end_by_itself) {
    const Directory directory;
    const Daemon daemon(counter(directory, "stop_grace_period = \"60s\"\n"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(counts(directory));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(daemon.ctl({"stop", "web"}).status == 0);
    BOOST_TEST(seconds_since(begin) < 30);
    BOOST_TEST(daemon.inspect("web").at("exit_code") == 7);
    // And nothing of it is left for the next attempt.
    BOOST_TEST(daemon.ctl({"start", "web"}).status == 0);
    BOOST_TEST(counts(directory));
}

BOOST_AUTO_TEST_CASE(a_deaf_one_is_killed_paused_or_not) {
    const Daemon daemon(
        "[container.web]\ncommand = [\"sh\", \"-c\", \"trap '' TERM; while :; do sleep 1; "
        "done\"]\nstop_grace_period = \"500ms\"\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE(daemon.heeds("web", SIGTERM));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    BOOST_TEST(daemon.ctl({"stop", "web"}).status == 0);
    BOOST_TEST(daemon.state("web") == "exited");
}

BOOST_AUTO_TEST_CASE(killed_while_paused_it_is_judged_as_ever) {
    const Directory directory;
    const Daemon daemon(counter(
        directory, "restart = { policy = \"on-failure\", delay = \"10ms\", attempts = 3 }\n"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    const pid_t pid = init_of(daemon);
    BOOST_TEST(daemon.ctl({"kill", "web"}).status == 0);
    BOOST_REQUIRE(
        eventually([&] { return daemon.state("web") == "running" && init_of(daemon) != pid; }));
    BOOST_TEST(counts(directory));
    // By somebody else's hand too.
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    const pid_t second = init_of(daemon);
    ::kill(second, SIGKILL);
    BOOST_REQUIRE(
        eventually([&] { return daemon.state("web") == "running" && init_of(daemon) != second; }));
}

BOOST_AUTO_TEST_CASE(killed_over_a_pause_mydockerd_knows_whether_it_stands) {
    const Directory directory;
    ::setenv("MYDOCKER_FAILPOINT", (directory / "failpoint").c_str(), 1);
    Daemon daemon(counter(directory), {}, "mydockerd-failpoints");
    ::unsetenv("MYDOCKER_FAILPOINT");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    for (const std::string where : {"pause.noted", "pause.written"}) {
        BOOST_REQUIRE(counts(directory));
        const pid_t killed = daemon.pid();
        arm(directory / "failpoint", where);
        daemon.api("POST", "/v1/containers/web/pause", "", 5s);
        BOOST_REQUIRE(eventually([&] {
            return daemon.pid() > 0 && daemon.pid() != killed && !daemon.state("web").empty();
        }));
        BOOST_TEST(daemon.state("web") == (where == "pause.noted" ? "running" : "paused"));
    }
    BOOST_TEST(stands_still(directory));
    BOOST_TEST(daemon.ctl({"unpause", "web"}).status == 0);
    BOOST_TEST(counts(directory));
}

BOOST_AUTO_TEST_CASE(what_keeps_it_from_being_paused_is_told) {
    const Directory directory;
    OrderedFaults faults;
    const Daemon daemon(counter(directory));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    Result result;
    for (int nth = 1; nth < 10; ++nth) {
        faults.arm(ENOSPC, nth);
        result = daemon.ctl({"pause", "web"});
        faults.disarm();
        if (result.status != 0) break;
        BOOST_REQUIRE(daemon.ctl({"unpause", "web"}).status == 0);
    }
    BOOST_TEST(result.status != 0);
    BOOST_TEST(contains(result.err, "No space left on device"), result.err);
    BOOST_TEST(daemon.state("web") == "running");
    BOOST_TEST(counts(directory));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    BOOST_TEST(stands_still(directory));
}

BOOST_AUTO_TEST_CASE(a_restart_and_a_removal_of_a_paused_one) {
    const Directory directory;
    const Daemon daemon(counter(directory));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    const pid_t pid = init_of(daemon);
    BOOST_TEST(daemon.ctl({"restart", "web"}).status == 0);
    BOOST_TEST(init_of(daemon) != pid);
    BOOST_TEST(counts(directory));
    BOOST_TEST(daemon.ctl({"run", "-d", "--name", "other", "sleep", "1000"}).status == 0);
    BOOST_TEST(daemon.ctl({"pause", "other"}).status == 0);
    BOOST_TEST(daemon.ctl({"rm", "-f", "other"}).status == 0);
    BOOST_TEST(daemon.state("other").empty());
}

BOOST_AUTO_TEST_CASE(a_reload_reaches_a_paused_one_and_leaves_it_so) {
    const Directory directory;
    const Daemon daemon(counter(directory));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    daemon.write_host_file("version = 1\n" + counter(directory, "mem_limit = \"64m\"\n"));
    BOOST_TEST(daemon.ctl({"reload"}).status == 0);
    BOOST_TEST(daemon.cgroup_file("web", "memory.max") == std::to_string(64 << 20));
    BOOST_TEST(daemon.state("web") == "paused");
    BOOST_TEST(daemon.ctl({"up"}).status == 1);  // it says that web is paused
    BOOST_TEST(daemon.ctl({"unpause", "web"}).status == 0);
    BOOST_TEST(counts(directory));
}

BOOST_AUTO_TEST_CASE(a_shutdown_ends_paused_ones) {
    const Directory directory;
    Daemon daemon(counter(directory, "stop_grace_period = \"60s\"\n"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(daemon.stop() == 0);
    BOOST_TEST(seconds_since(begin) < 50);  // not its grace period
}

// Time that it stood still is no time that it ran.
BOOST_AUTO_TEST_CASE(a_pause_is_not_ready_time) {
    const Daemon daemon(R"([container.web]
command = ["sh", "-c", "sleep 2; exit 3"]
restart = { policy = "always", delay = "50ms", multiplier = 4.0, jitter = 0, reset_after = "6s" }
)");
    BOOST_REQUIRE(eventually([&] {
        return daemon.state("web") == "running" && daemon.ctl({"pause", "web"}).status == 0;
    }));
    const auto attempt = daemon.inspect("web").at("attempt").get<int>();
    std::this_thread::sleep_for(7s);
    BOOST_TEST(daemon.ctl({"unpause", "web"}).status == 0);
    const auto judged = [&]() -> json {
        const json attempts = daemon.inspect("web").at("attempts");
        for (const json& each : attempts)
            if (each.at("attempt") == attempt && !each.at("verdict").is_null()) return each;
        return {};
    };
    const bool is_judged = eventually([&] { return !judged().is_null(); });
    BOOST_REQUIRE_MESSAGE(is_judged, daemon.ctl({"explain", "web"}).out);
    BOOST_TEST(judged().at("ran_ms").get<int>() < 6000);
}

BOOST_AUTO_TEST_SUITE_END()
