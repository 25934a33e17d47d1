// Stopping: always answered, within its time, whatever the container is doing and whoever else does
// something to it at the same moment. Afterwards nothing of it is left.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <thread>

#include "tests/system/harness.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

namespace {

// Names itself ready in its log: a signal before its trap would find no handler.
constexpr auto obedient = R"(
command = ["/bin/sh", "-c", "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done"]
restart = "always"
)";
constexpr auto deaf = R"(
command = ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]
restart = "always"
)";
constexpr auto sleeper = R"(
command = ["sleep", "1000"]
restart = { policy = "always", delay = "0s" }
stop_grace_period = "0s"
)";

std::string toml(const std::string& keys) { return "version = 1\n[container.web]\n" + keys; }

void require_ready(const Daemon& daemon, const std::string& times = "ready\n") {
    BOOST_REQUIRE(eventually([&] { return daemon.ctl({"logs", "web"}).out == times; }));
}

void check_at_rest(const Daemon& daemon, const std::string& name, const std::string& cgroup) {
    const json shown = daemon.inspect(name);
    BOOST_CHECK_EQUAL(shown.at("state"), "exited");
    BOOST_CHECK_EQUAL(shown.at("desired"), "down");
    BOOST_CHECK_EQUAL(shown.at("pid"), 0);
    BOOST_CHECK(shown.at("next_start_ms").is_null());
    BOOST_CHECK(!fs::exists(cgroup));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stop)

BOOST_AUTO_TEST_CASE(a_handler_is_given_its_time) {
    const Daemon daemon(toml(obedient));
    require_ready(daemon);
    const std::string cgroup = daemon.inspect("web").at("cgroup");
    const Result result = daemon.ctl({"stop", "web"});
    BOOST_CHECK_EQUAL(result.status, 0);
    BOOST_CHECK_EQUAL(result.out, "web\n");
    check_at_rest(daemon, "web", cgroup);
    const json shown = daemon.inspect("web");
    BOOST_CHECK_EQUAL(shown.at("exit_code"), 5);
    BOOST_CHECK_EQUAL(shown.at("cause"), "operator");
    BOOST_CHECK_EQUAL(shown.at("reason"), "stopped by the operator; exited with code 5");
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "web"}).out, "ready\nbye\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);  // again: nothing to do
    BOOST_CHECK_EQUAL(daemon.ctl({"wait", "web"}).out, "5\n");
}

BOOST_AUTO_TEST_CASE(who_does_not_listen_is_killed_after_the_grace_period) {
    const Daemon daemon(toml(deaf) + "stop_grace_period = \"60s\"\n");
    require_ready(daemon);
    const std::string cgroup = daemon.inspect("web").at("cgroup");
    auto begin = Clock::now();
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "-t", "2", "web"}).status, 0);
    BOOST_CHECK_GE(seconds_since(begin), 2.0);
    BOOST_CHECK_LE(seconds_since(begin), 50.0);
    check_at_rest(daemon, "web", cgroup);
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("exit_code"), 137);

    // And at once where that is asked for.
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "web"}).status, 0);
    require_ready(daemon, "ready\nready\n");
    begin = Clock::now();
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "-t", "0", "web"}).status, 0);
    BOOST_CHECK_LE(seconds_since(begin), 50.0);
}

// As pid 1 it never sees a signal that it has no handler for: there is nothing to wait for.
BOOST_AUTO_TEST_CASE(a_pid_1_without_a_handler_is_killed_at_once_and_told_of) {
    const Daemon daemon(toml("command = [\"sleep\", \"1000\"]\nstop_grace_period = \"60s\"\n") +
                        "[container.forwarded]\ncommand = [\"sleep\", \"1000\"]\ninit = true\n"
                        "stop_grace_period = \"60s\"\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE(daemon.reaches("forwarded", "running"));
    const Result dropped = daemon.ctl({"kill", "--signal", "TERM", "web"});
    BOOST_CHECK_EQUAL(dropped.status, 1);
    BOOST_CHECK_MESSAGE(contains(dropped.err, "its pid 1 has no handler for SIGTERM"), dropped.err);
    for (const char* name : {"web", "forwarded"}) {
        const auto begin = Clock::now();
        BOOST_CHECK_EQUAL(daemon.ctl({"stop", name}).status, 0);
        BOOST_CHECK_LE(seconds_since(begin), 50.0);
    }
    const std::string warnings = daemon.inspect("web").at("warnings").dump();
    BOOST_CHECK_MESSAGE(contains(warnings, "init = true would forward"), warnings);
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("exit_code"), 128 + SIGKILL);
    BOOST_CHECK_EQUAL(daemon.inspect("forwarded").at("exit_code"), 128 + SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_stop_cancels_the_restart_that_was_due) {
    const Daemon daemon(
        toml("command = [\"/bin/sh\", \"-c\", \"exit 1\"]\n"
             "restart = { policy = \"always\", delay = \"2s\", jitter = 0 }\n"));
    BOOST_REQUIRE(daemon.reaches("web", "waiting"));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
    const json stopped = daemon.inspect("web");
    BOOST_CHECK_EQUAL(stopped.at("state"), "exited");
    BOOST_CHECK_EQUAL(stopped.at("reason"), "stopped by the operator before its next attempt");
    BOOST_CHECK(!eventually([&] { return daemon.inspect("web") != stopped; }, 2500ms));
}

BOOST_AUTO_TEST_CASE(a_prearmed_restart_is_cancelled_too) {
    const Daemon daemon(toml(
        "command = [\"/bin/sh\", \"-c\", \"echo ran; exit 1\"]\n"
        "restart = { policy = \"always\", delay = \"1h\", max_delay = \"1h\", prearm = true }\n"));
    BOOST_REQUIRE(eventually([&] { return daemon.inspect("web").value("attempt", 0) == 2; }));
    BOOST_REQUIRE(daemon.reaches("web", "waiting"));
    const std::string cgroup = daemon.inspect("web").at("cgroup");
    BOOST_CHECK(fs::exists(cgroup));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
    check_at_rest(daemon, "web", cgroup);
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "web"}).out, "ran\n");
}

BOOST_AUTO_TEST_CASE(a_start_in_progress_and_one_in_the_queue_can_be_stopped) {
    BlockedProgram program("echo never");
    const Daemon daemon("version = 1\n[daemon]\nmax_concurrent_starts = 1\n[container.first]\n" +
                        program.keys() + "[container.second]\n" + sleeper + "[container.third]\n" +
                        sleeper);
    BOOST_REQUIRE(eventually([&] { return program.is_awaited(); }));
    BOOST_CHECK_EQUAL(daemon.state("first"), "starting");
    BOOST_CHECK_EQUAL(daemon.state("second"), "queued");
    BOOST_CHECK_EQUAL(daemon.state("third"), "queued");
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "second"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.state("second"), "created");
    const std::string cgroup = daemon.inspect("first").at("cgroup");
    const auto begin = Clock::now();
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "first"}).status, 0);
    BOOST_CHECK_LE(seconds_since(begin), 25.0);  // start_timeout is 30 s
    check_at_rest(daemon, "first", cgroup);
    // Its place in the gate is free, and the one that was stopped in the queue does not take it.
    BOOST_CHECK(daemon.reaches("third", "running"));
    BOOST_CHECK_EQUAL(daemon.state("second"), "created");
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "first"}).out, "");
}

BOOST_AUTO_TEST_CASE(a_failure_of_long_ago_is_not_told_again) {
    BlockedProgram program;
    const Directory directory;
    const Daemon daemon(
        "version = 1\n[daemon]\nmax_concurrent_starts = 1\n[container.web]\n"
        "command = [\"/bin/false\"]\n"
        "restart = { policy = \"no\", on_failure = [\"/bin/sh\", \"-c\", " +
        toml_string("echo x >> " + (directory / "hook").string()) + "] }\n" +
        "[container.blocker]\nautostart = \"no\"\n" + program.keys());
    BOOST_REQUIRE(daemon.reaches("web", "failed"));
    BOOST_REQUIRE(eventually([&] { return read_file(directory / "hook") == "x\n"; }));
    Process blocker(daemon.ctl_command({"start", "blocker"}));
    BOOST_REQUIRE(eventually([&] { return program.is_awaited(); }));
    Process start(daemon.ctl_command({"start", "web"}));
    BOOST_REQUIRE(daemon.reaches("web", "queued"));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
    BOOST_CHECK(start.wait(30s) == 1);
    const json shown = daemon.inspect("web");
    BOOST_CHECK_EQUAL(shown.at("state"), "exited");
    BOOST_CHECK_EQUAL(shown.at("reason"), "stopped by the operator before its next attempt");
    BOOST_CHECK(!eventually([&] { return read_file(directory / "hook") != "x\n"; }, 500ms));
}

BOOST_AUTO_TEST_CASE(a_start_during_a_stop_follows_it) {
    const Daemon daemon(toml(deaf) + "stop_grace_period = \"1s\"\n");
    require_ready(daemon);
    Process stop(daemon.ctl_command({"stop", "web"}));
    BOOST_REQUIRE(daemon.reaches("web", "stopping"));
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "web"}).status, 0);
    const json shown = daemon.inspect("web");
    BOOST_CHECK_EQUAL(shown.at("state"), "running");
    BOOST_CHECK_EQUAL(shown.at("attempt"), 2);
    BOOST_CHECK_EQUAL(shown.at("desired"), "up");
    stop.signal(SIGKILL);
}

BOOST_AUTO_TEST_CASE(stop_and_start_at_once_many_times) {
    const Daemon daemon(toml(sleeper));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    for (int round = 0; round < 8; ++round) {
        BOOST_REQUIRE_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
        BOOST_REQUIRE_EQUAL(daemon.ctl({"start", "web"}).status, 0);
        BOOST_REQUIRE_EQUAL(daemon.state("web"), "running");
    }
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempt"), 9);
}

BOOST_AUTO_TEST_CASE(restart_is_a_stop_and_a_start) {
    const Daemon daemon(toml(obedient));
    require_ready(daemon);
    const json before = daemon.inspect("web");
    BOOST_CHECK_EQUAL(daemon.ctl({"restart", "web"}).status, 0);
    const json after = daemon.inspect("web");
    BOOST_CHECK_EQUAL(after.at("state"), "running");
    BOOST_CHECK_NE(after.at("pid"), before.at("pid"));
    BOOST_REQUIRE_EQUAL(after.at("attempts").size(), 2U);
    const json& verdict = after.at("attempts")[0].at("verdict");
    BOOST_CHECK_EQUAL(verdict.at("rule"), "operator-restart");
    BOOST_CHECK_EQUAL(verdict.at("reason"), "restarted by the operator; exited with code 5");
    // Of one at rest it is a start; so is it for one that backs off.
    require_ready(daemon, "ready\nbye\nready\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.ctl({"restart", "web"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

BOOST_AUTO_TEST_CASE(kill_leaves_the_policy_in_force) {
    const Daemon daemon(toml(sleeper));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_CHECK_EQUAL(daemon.ctl({"kill", "web"}).status, 0);
    BOOST_REQUIRE(eventually([&] {
        const json shown = daemon.inspect("web");
        return shown.value("attempt", 0) == 2 && shown.value("state", "") == "running";
    }));
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempts")[0].at("signal"), "SIGKILL");
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
    const Result refused = daemon.ctl({"kill", "web"});
    BOOST_CHECK_EQUAL(refused.status, 1);
    BOOST_CHECK_EQUAL(refused.err,
                      "mydocker-ctl: web: signal web, which is not running: "
                      "No such process\n");
}

BOOST_AUTO_TEST_CASE(rm_takes_a_running_one_only_by_force) {
    const Daemon daemon;
    const Result created = daemon.ctl({"run", "-d", "--name", "web", "sleep", "1000"});
    BOOST_REQUIRE_EQUAL(created.status, 0);
    const std::string id = created.out.substr(0, 32);
    const fs::path cgroup = daemon.cgroup() / id;
    const fs::path directory = daemon.directory() / "data/containers" / id;
    BOOST_CHECK(fs::exists(cgroup));
    BOOST_CHECK(fs::exists(directory / "container.json"));
    const Result refused = daemon.ctl({"rm", "web"});
    BOOST_CHECK_EQUAL(refused.status, 1);
    BOOST_CHECK_EQUAL(refused.err,
                      "mydocker-ctl: web: web is running: stop it first, or rm --force\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"rm", "-f", "web"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.state("web"), "");
    BOOST_CHECK(!fs::exists(cgroup));
    BOOST_CHECK(eventually([&] { return !fs::exists(directory); }, 5s));
}

// Whoever comes first, the stop is what is remembered.
BOOST_AUTO_TEST_CASE(a_stop_races_a_kill_from_outside) {
    const Daemon daemon(toml(sleeper));
    for (int round = 0; round < 8; ++round) {
        BOOST_REQUIRE(daemon.reaches("web", "running"));
        const json shown = daemon.inspect("web");
        Process stop(daemon.ctl_command({"stop", "web"}));
        // A little later each round, around the moment at which the request arrives.
        std::this_thread::sleep_for(round * 8ms);
        ::kill(shown.at("pid").get<pid_t>(), SIGKILL);
        BOOST_CHECK(stop.wait(30s) == 0);
        check_at_rest(daemon, "web", shown.at("cgroup"));
        BOOST_REQUIRE_EQUAL(daemon.ctl({"start", "web"}).status, 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()
