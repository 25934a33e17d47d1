// What had been begun, wished or acknowledged when mydockerd died, the next one carries on: stops,
// shutdowns, removals, back-offs, and what follows from an end.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/system/counting.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(succession)

BOOST_AUTO_TEST_CASE(what_a_reload_takes_out_goes_whoever_is_mydockerd) {
    Daemon daemon("version = 1\n" + script("stays", numbers) +
                  "[container.leaves]\ncommand = [\"/bin/sh\", \"-c\", \"trap '' TERM; while :; do "
                  "sleep 0.1; done\"]\nstop_grace_period = \"15s\"\n");
    const fs::path cgroup = daemon.cgroup();
    BOOST_REQUIRE(daemon.reaches("stays", "running"));
    BOOST_REQUIRE(daemon.reaches("leaves", "running"));
    BOOST_REQUIRE(daemon.heeds("leaves", SIGTERM));
    daemon.write_host_file("version = 1\n" + script("stays", numbers));
    BOOST_REQUIRE_EQUAL(daemon.ctl({"reload"}).status, 0);
    daemon.crash();
    BOOST_CHECK_EQUAL(daemon.state("leaves"), "stopping");  // its grace is its own
    BOOST_CHECK(eventually([&] { return daemon.state("leaves").empty(); }, 60s));
    BOOST_CHECK(eventually([&] { return cgroups_below(cgroup).size() == 1; }));
    BOOST_CHECK_EQUAL(daemon.state("stays"), "running");
}

BOOST_AUTO_TEST_CASE(who_has_ended_is_not_started_again) {
    const Directory directory;
    Daemon daemon("version = 1\n" +
                  script("web", "while [ ! -e /go/go ]; do sleep 0.05; done; exit 0",
                         "volumes = [\"" + directory.path().string() + ":/go\"]"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "web"}).status, 0);  // it runs already
    write_file(directory / "go", "");
    BOOST_REQUIRE(daemon.reaches("web", "exited"));
    daemon.crash();
    BOOST_CHECK_EQUAL(daemon.state("web"), "exited");
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempt"), 1);
}

BOOST_AUTO_TEST_CASE(a_shutdown_goes_on_after_a_crash) {
    for (const bool by_signal : {false, true}) {
        Daemon daemon(
            "version = 1\n" + script("quick", numbers) +
            "[container.deaf]\ncommand = [\"/bin/sh\", \"-c\", \"trap '' TERM; while :; do "
            "sleep 0.1; done\"]\nstop_grace_period = \"3s\"\n");
        BOOST_REQUIRE(daemon.reaches("deaf", "running"));
        BOOST_REQUIRE(daemon.reaches("quick", "running"));
        BOOST_REQUIRE(daemon.heeds("deaf", SIGTERM));
        const pid_t mydockerd = daemon.pid();
        if (by_signal)
            ::kill(daemon.keeper(), SIGTERM);
        else
            BOOST_CHECK_EQUAL(daemon.api("POST", "/v1/shutdown").status, 202);
        BOOST_REQUIRE(eventually([&] { return daemon.state("quick") == "exited"; }));
        ::kill(mydockerd, SIGKILL);
        const auto killed = std::chrono::steady_clock::now();
        const auto status = daemon.ended(60s);
        BOOST_REQUIRE(status);
        BOOST_CHECK_EQUAL(*status, 0);
        BOOST_CHECK_GE(seconds_since(killed), 1.0);  // its grace is what it was
        // The next start is one like any other.
        daemon.start();
        BOOST_CHECK(daemon.reaches("quick", "running"));
        BOOST_CHECK(daemon.reaches("deaf", "running"));
    }
}

BOOST_AUTO_TEST_CASE(a_boot_that_fails_costs_nothing) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const pid_t web = pid_of(daemon, "web");
    const std::string id = daemon.inspect("web").at("id");
    const fs::path path = daemon.directory() / "data/containers" / id / "container.json";
    const std::string good = read_file(path);
    write_file(path, of_another_version(good));
    ::kill(daemon.pid(), SIGKILL);
    BOOST_CHECK(eventually([&] { return contains(daemon.log(), "(crash 3 in a row)"); }));
    BOOST_CHECK(contains(daemon.log(), "start the mydockerd that wrote it"));
    write_file(path.string() + ".good", good);
    fs::rename(path.string() + ".good", path);  // the next mydockerd may read it just now
    BOOST_CHECK(eventually([&] { return pid_of(daemon, "web") == web; }));
    check_numbers(daemon, "web", 1);
}

BOOST_AUTO_TEST_CASE(long_command_lines_inside_are_no_danger) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const pid_t web = pid_of(daemon, "web");
    json body = {{"command", {"sh", "-c", "sleep 100", "sh"}}, {"detach", true}};
    for (int i = 0; i < 3000; ++i) body["command"].push_back(std::string(400, 'x'));
    BOOST_CHECK_EQUAL(daemon.api("POST", "/v1/containers/web/exec", body.dump()).status, 200);
    daemon.crash();
    BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("execs").size(), 1U);
}

BOOST_AUTO_TEST_CASE(a_prearmed_restart_keeps_its_deadline) {
    Daemon daemon("version = 1\n" +
                  script("web", "exit 1",
                         "[container.web.restart]\npolicy = \"always\"\ndelay = \"10m\"\nmax_delay "
                         "= \"10m\"\njitter = 0.0\nprearm = true"));
    BOOST_REQUIRE(daemon.reaches("web", "waiting"));
    BOOST_REQUIRE(eventually([&] { return daemon.inspect("web").at("attempt") == 2; }));  // armed
    const json before = daemon.inspect("web");
    daemon.crash();
    BOOST_CHECK(daemon.reaches("web", "waiting"));
    BOOST_CHECK(eventually([&] { return daemon.inspect("web").at("attempt") == 3; }));  // anew
    const json after = daemon.inspect("web");
    BOOST_CHECK_EQUAL(after.at("state"), "waiting");
    BOOST_CHECK_GT(after.at("next_start_ms"), 300'000);
    BOOST_CHECK_LE(after.at("next_start_ms"), before.at("next_start_ms"));
    BOOST_CHECK_EQUAL(after.at("restarts"), before.at("restarts"));
}

BOOST_AUTO_TEST_CASE(a_stop_keeps_its_grace) {
    Daemon daemon(
        "version = 1\n[container.deaf]\ncommand = [\"/bin/sh\", \"-c\", \"trap 'echo TERM' "
        "TERM; while :; do sleep 0.1; done\"]\nstop_grace_period = \"10m\"\n");
    BOOST_REQUIRE(daemon.reaches("deaf", "running"));
    BOOST_REQUIRE(daemon.heeds("deaf", SIGTERM));
    Process stop(daemon.ctl_command({"stop", "-t", "15", "deaf"}));
    BOOST_REQUIRE(daemon.reaches("deaf", "stopping"));
    daemon.crash();
    BOOST_CHECK_EQUAL(daemon.state("deaf"), "stopping");
    BOOST_CHECK(daemon.reaches("deaf", "exited", 60s));  // not after ten minutes
    BOOST_CHECK_MESSAGE(stop.wait() == 0, stop.err());
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "deaf"}).out, "TERM\n");  // it was told once
}

BOOST_AUTO_TEST_CASE(a_commands_code_waits_for_its_client) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    Process client(daemon.ctl_command(
        {"exec", "web", "/bin/sh", "-c", "echo begun; sleep 1; echo done; exit 4"}));
    BOOST_REQUIRE(eventually([&] { return contains(client.out(), "begun"); }));
    const pid_t killed = daemon.pid();
    ::kill(daemon.keeper(), SIGSTOP);
    ::kill(killed, SIGKILL);
    std::this_thread::sleep_for(2s);  // it ends meanwhile
    ::kill(daemon.keeper(), SIGCONT);
    BOOST_CHECK_EQUAL(client.wait().value_or(-1), 4);
    BOOST_CHECK_EQUAL(client.out(), "begun\ndone\n");
    BOOST_CHECK(eventually([&] { return children_of(daemon.keeper()).size() == 2; }));
}

BOOST_AUTO_TEST_CASE(the_second_life_after_both_were_killed_is_as_safe_as_the_first) {
    Daemon daemon("version = 1\n" + script("web", numbers) +
                  script("tiny", numbers, "init = true"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE(daemon.reaches("tiny", "running"));
    // Where its pipe has a reader again before it writes into none, it lives on.
    for (const std::string name : {"web", "tiny"})
        BOOST_REQUIRE_EQUAL(daemon.ctl({"pause", name}).status, 0);
    const pid_t web = pid_of(daemon, "web");
    const pid_t tiny = pid_of(daemon, "tiny");
    daemon.vanish();
    daemon.start();
    for (const std::string name : {"web", "tiny"})
        BOOST_REQUIRE_EQUAL(daemon.ctl({"unpause", name}).status, 0);
    daemon.crash();
    BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    BOOST_CHECK_EQUAL(pid_of(daemon, "tiny"), tiny);
    check_numbers(daemon, "web", 2);
    check_numbers(daemon, "tiny", 2);
}

BOOST_AUTO_TEST_CASE(a_second_mydockerd_keeps_off) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const Directory other;
    const Result same_cgroup =
        run({program("mydockerd"), "--state-dir", other / "run", "--data-root", other / "data"});
    BOOST_CHECK_NE(same_cgroup.status, 0);
    BOOST_CHECK_MESSAGE(contains(same_cgroup.err, "cgroup_parent"), same_cgroup.err);
    write_file(other / "host.toml", "version = 1\n[daemon]\ncgroup_parent = \"/other\"\n");
    const Result same_data = run({program("mydockerd"), "--state-dir", other / "run", "--data-root",
                                  daemon.directory() / "data", "--config", other / "host.toml"});
    BOOST_CHECK_NE(same_data.status, 0);
    BOOST_CHECK_MESSAGE(contains(same_data.err, "--data-root"), same_data.err);
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

// With cgroups of its own in it, as a container with systemd inside has them.
BOOST_AUTO_TEST_CASE(what_belongs_to_nobody_is_removed_at_the_start) {
    Daemon daemon;
    const fs::path left = daemon.cgroup() / std::string(32, 'a');
    daemon.vanish();
    fs::create_directories(left / "inside" / "deeper");
    Process stray({"sleep", "1000"});
    write_file(left / "inside" / "deeper" / "cgroup.procs", std::to_string(stray.pid()));
    daemon.start();
    BOOST_TEST(!fs::exists(left));
    BOOST_TEST(stray.wait(20s).value_or(-1) == 128 + SIGKILL);
}

BOOST_AUTO_TEST_CASE(what_follows_an_end_is_done_by_the_next) {
    const Directory directory;
    ::setenv("MYDOCKER_FAILPOINT", (directory / "failpoint").c_str(), 1);
    Daemon daemon("version = 1\n" +
                      script("web", "while [ ! -e /go/go ]; do sleep 0.05; done; exit 3",
                             "volumes = [\"" + directory.path().string() +
                                 ":/go\"]\n[container.web.restart]\npolicy = \"no\"\non_failure = "
                                 "[\"touch\", \"" +
                                 (directory / "hook").string() + "\"]"),
                  {}, "mydockerd-failpoints");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE_EQUAL(
        daemon
            .ctl({"run", "-d", "--rm", "--name", "once", "-v", directory.path().string() + ":/go",
                  "/bin/sh", "-c", "while [ ! -e /go/once ]; do sleep 0.05; done"})
            .status,
        0);
    for (const std::string name : {"go", "once"}) {
        write_file(directory / "failpoint", "end.recorded\n");
        write_file(directory / name, "");
        BOOST_REQUIRE(eventually([&] { return !fs::exists(directory / "failpoint"); }));
        BOOST_REQUIRE(eventually([&] { return daemon.api("GET", "/v1/version").status == 200; }));
    }
    BOOST_CHECK_EQUAL(daemon.state("web"), "failed");
    BOOST_CHECK(eventually([&] { return fs::exists(directory / "hook"); }));
    BOOST_CHECK(eventually([&] { return daemon.state("once").empty(); }));
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempts").size(), 1U);
}

BOOST_AUTO_TEST_SUITE_END()
