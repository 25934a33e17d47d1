// mydockerd dies, is upgraded, loses its keeper or goes with it: its containers do not notice, and
// nothing of them is lost.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

namespace {

json last_attempt(const Daemon& daemon, const std::string& container) {
    return daemon.inspect(container).at("attempts").back();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(adoption)

BOOST_AUTO_TEST_CASE(a_running_container_outlives_mydockerd) {
    Daemon daemon("version = 1\n" + script("web", numbers, "restart = \"always\""));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const pid_t web = pid_of(daemon, "web");
    for (int death = 0; death < 3; ++death) daemon.crash();
    BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempt"), 1);
    check_numbers(daemon, "web", 3);
    // Its end is an event as ever.
    ::kill(web, SIGKILL);
    BOOST_CHECK(eventually([&] { return daemon.inspect("web").value("attempt", 0) == 2; }, 60s));
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempts").front().at("signal"), "SIGKILL");
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.state("web"), "exited");
}

BOOST_AUTO_TEST_CASE(an_end_while_nobody_supervised_is_recorded_with_its_code) {
    const Directory directory;
    const fs::path fifo = directory / "go";
    BOOST_REQUIRE_EQUAL(run({"mkfifo", fifo}).status, 0);
    Daemon daemon("version = 1\n" +
                  script("web", "read line < /go/go; exit 42",
                         "volumes = [\"" + directory.path().string() + ":/go\"]"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    ::kill(daemon.keeper(), SIGSTOP);  // it starts no other meanwhile
    const pid_t killed = daemon.pid();
    const pid_t web = pid_of(daemon, "web");
    ::kill(killed, SIGKILL);
    write_file(fifo, "go\n");
    BOOST_CHECK(eventually([&] { return status_field(web, "State").starts_with("Z"); }));
    ::kill(daemon.keeper(), SIGCONT);
    BOOST_CHECK(daemon.reaches("web", "failed"));
    BOOST_CHECK_EQUAL(last_attempt(daemon, "web").at("exit_code"), 42);
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempts").size(), 1U);
    // The zombie was kept for this, and no longer.
    BOOST_CHECK(eventually([&] { return status_field(web, "State").empty(); }));
}

BOOST_AUTO_TEST_CASE(a_back_off_keeps_its_deadline_and_a_wish_its_word) {
    Daemon daemon("version = 1\n" +
                  script("web", "exit 1",
                         "[container.web.restart]\npolicy = \"always\"\ndelay = \"20s\"\n"
                         "jitter = 0.0") +
                  script("down", numbers, "autostart = \"yes\""));
    BOOST_REQUIRE(daemon.reaches("web", "waiting"));
    const auto waits = [&] { return daemon.inspect("web").value("next_start_ms", 0LL); };
    const long long before = waits();
    BOOST_REQUIRE_EQUAL(daemon.ctl({"stop", "down"}).status, 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"create", "--name", "idle", "true"}).status, 0);
    daemon.crash();
    BOOST_CHECK_EQUAL(daemon.state("web"), "waiting");
    BOOST_CHECK_LE(waits(), before);
    BOOST_CHECK_EQUAL(daemon.state("down"), "exited");
    BOOST_CHECK_EQUAL(daemon.state("idle"), "created");
    BOOST_CHECK(eventually([&] { return daemon.inspect("web").at("attempt") == 2; }));
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempts").size(), 2U);
}

BOOST_AUTO_TEST_CASE(a_paused_container_stays_paused) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE_EQUAL(daemon.ctl({"pause", "web"}).status, 0);
    daemon.crash();
    BOOST_CHECK_EQUAL(daemon.state("web"), "paused");
    BOOST_CHECK_EQUAL(daemon.ctl({"unpause", "web"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

BOOST_AUTO_TEST_CASE(a_crash_is_no_reload) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const pid_t web = pid_of(daemon, "web");
    daemon.write_host_file("this is no host file");
    daemon.crash();
    BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    BOOST_CHECK_EQUAL(daemon.ctl({"reload"}).status, 125);
    daemon.write_host_file("version = 1\n");
    daemon.crash();
    BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    BOOST_CHECK_EQUAL(daemon.ctl({"reload"}).status, 0);
    BOOST_CHECK(eventually([&] { return daemon.state("web").empty(); }));
}

BOOST_AUTO_TEST_CASE(the_keepers_death_is_survived) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const pid_t web = pid_of(daemon, "web");
    const pid_t before = daemon.pid();
    ::kill(daemon.keeper(), SIGKILL);
    // What was mydockerd is the keeper now, and has started another.
    const auto version = [&] {
        const auto reply = daemon.api("GET", "/v1/version", "", 1s);
        return reply.status == 200 ? json::parse(reply.body) : json::object();
    };
    json next;
    BOOST_REQUIRE(eventually([&] {
        next = version();
        return next.value("keeper_pid", -1) == before;
    }));
    BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    ::kill(next.at("pid").get<pid_t>(), SIGKILL);
    BOOST_CHECK(eventually([&] { return pid_of(daemon, "web") == web; }));
    check_numbers(daemon, "web", 2);
    daemon.follow_keeper(before);
}

BOOST_AUTO_TEST_CASE(what_lives_when_both_are_killed_is_taken_over) {
    Daemon daemon("version = 1\n" + script("web", numbers, "restart = \"always\"") +
                  script("quick", "sleep 2; exit 5"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE(daemon.reaches("quick", "running"));
    const pid_t web = pid_of(daemon, "web");
    const pid_t quick = pid_of(daemon, "quick");
    daemon.vanish();
    BOOST_CHECK(eventually([&] { return status_field(quick, "State").empty(); }));
    daemon.start();
    // The only one is alive: the same, or, had it died of its closed pipe, its successor.
    BOOST_CHECK(daemon.reaches("web", "running"));
    const json list = daemon.inspect("web").at("attempts");
    if (list.size() == 1) BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    // Nobody saw how it ended, and nobody says that it was well.
    BOOST_CHECK_EQUAL(daemon.state("quick"), "failed");
    BOOST_CHECK(last_attempt(daemon, "quick").at("exit_code").is_null() ||
                last_attempt(daemon, "quick").at("exit_code") == 5);
}

BOOST_AUTO_TEST_CASE(an_upgrade_leaves_every_process_as_it_is) {
    Daemon daemon("version = 1\n" + script("web", numbers, "restart = \"always\""));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const pid_t web = pid_of(daemon, "web");
    const pid_t before = daemon.pid();
    const Result upgraded = daemon.ctl({"daemon", "upgrade"});
    BOOST_CHECK_EQUAL(upgraded.status, 0);
    BOOST_CHECK_MESSAGE(contains(upgraded.out, "was replaced by"), upgraded.out << upgraded.err);
    BOOST_CHECK_NE(daemon.pid(), before);
    BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    const pid_t second = daemon.pid();
    ::kill(daemon.keeper(), SIGUSR2);
    BOOST_CHECK(eventually([&] { return daemon.pid() > 0 && daemon.pid() != second; }));
    BOOST_CHECK_EQUAL(pid_of(daemon, "web"), web);
    check_numbers(daemon, "web", 0);
    BOOST_CHECK(!contains(daemon.log(), "crash"));
}

BOOST_AUTO_TEST_CASE(state_that_the_next_version_cannot_read_stops_an_upgrade) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const std::string id = daemon.inspect("web").at("id");
    const fs::path path = daemon.directory() / "data/containers" / id / "container.json";
    const std::string good = read_file(path);
    write_file(path, of_another_version(good));
    const pid_t before = daemon.pid();
    const Result refused = daemon.ctl({"daemon", "upgrade"});
    BOOST_CHECK_EQUAL(refused.status, 125);
    BOOST_CHECK_MESSAGE(contains(refused.err, "this mydockerd stays"), refused.err);
    BOOST_CHECK_EQUAL(daemon.pid(), before);
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
    write_file(path, good);
}

BOOST_AUTO_TEST_CASE(a_client_that_waits_gets_its_code_over_a_crash) {
    Daemon daemon;
    Process client(daemon.ctl_command(
        {"run", "--name", "web", "/bin/sh", "-c", "echo begun; sleep 3; echo done; exit 9"}));
    BOOST_REQUIRE(eventually([&] { return contains(client.out(), "begun"); }));
    daemon.crash();
    BOOST_CHECK_EQUAL(client.wait().value_or(-1), 9);
    BOOST_CHECK_EQUAL(client.out(), "begun\ndone\n");
}

BOOST_AUTO_TEST_CASE(a_command_inside_outlives_mydockerd) {
    Daemon daemon("version = 1\n" + script("web", numbers));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE_EQUAL(
        daemon.ctl({"exec", "-d", "web", "/bin/sh", "-c", "sleep 20; exit 4"}).status, 0);
    const auto inside = [&] {
        return processes_in(daemon.inspect("web").at("cgroup").get<std::string>()).size();
    };
    BOOST_REQUIRE(eventually([&] { return inside() >= 3; }));
    daemon.crash();
    BOOST_CHECK(contains(daemon.ctl({"top", "web"}).out, "sleep 20"));
    // It is reaped: neither it nor a zombie is left.
    BOOST_CHECK(eventually([&] { return children_of(daemon.keeper()).size() == 2; }, 60s));
}

BOOST_AUTO_TEST_CASE(a_low_limit_of_descriptors_is_no_obstacle) {
    rlimit limit{};
    BOOST_REQUIRE_EQUAL(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit low{64, limit.rlim_max};
    BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_NOFILE, &low), 0);
    std::string toml = "version = 1\n[daemon]\nmax_concurrent_starts = 30\n";
    for (int i = 0; i < 30; ++i)
        toml += script("c" + std::to_string(i), "exec sleep 1000", "stop_signal = \"KILL\"");
    Daemon daemon(toml);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 30; ++i) BOOST_REQUIRE(daemon.reaches("c" + std::to_string(i), "running"));
    const pid_t last = pid_of(daemon, "c29");
    daemon.crash();
    BOOST_CHECK_EQUAL(pid_of(daemon, "c29"), last);
}

BOOST_AUTO_TEST_SUITE_END()
