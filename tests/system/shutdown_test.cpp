// The end of mydockerd: in good order, impatiently, or killed. Whatever it was, the next one finds
// the host clean, its containers known, and starts what the operator wants.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <thread>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

namespace {

constexpr auto obedient =
    R"(command = ["/bin/sh", "-c", "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.05; done"]
restart = "always"
)";
constexpr auto deaf =
    R"(command = ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]
stop_grace_period = "1h"
restart = "always"
)";

std::string daemon_keys(const std::string& keys) { return "version = 1\n[daemon]\n" + keys + "\n"; }
std::string container(const std::string& name, const std::string& keys) {
    return "[container." + name + "]\n" + keys + "\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shutdown)

BOOST_AUTO_TEST_CASE(sigterm_stops_everything_within_the_timeout_and_leaves_nothing) {
    Daemon daemon(daemon_keys("shutdown_timeout = \"2s\"") + container("web", obedient) +
                  container("deaf", deaf) +
                  container("crash",
                            "command = [\"false\"]\n"
                            "restart = { policy = \"always\", delay = \"1h\", "
                            "max_delay = \"1h\" }"));
    BOOST_REQUIRE(eventually([&] { return daemon.ctl({"logs", "web"}).out == "hello\n"; }));
    // Before its trap it would have no handler, and there would be nothing to wait for.
    BOOST_REQUIRE(eventually([&] { return daemon.ctl({"logs", "deaf"}).out == "ready\n"; }));
    BOOST_REQUIRE(daemon.reaches("crash", "waiting"));
    const std::string mounts = host_mounts();
    const fs::path cgroup = daemon.cgroup();
    const fs::path log = daemon.inspect("web").at("log_directory").get<std::string>();
    const std::size_t descriptors = daemon.open_descriptors();
    Process waiting(daemon.ctl_command({"wait", "deaf"}));
    BOOST_REQUIRE(eventually([&] { return daemon.open_descriptors() > descriptors; }));
    std::this_thread::sleep_for(1s);  // from its first request to the one that waits
    const auto begin = Clock::now();
    BOOST_CHECK_EQUAL(daemon.stop(), 0);
    BOOST_CHECK_GE(seconds_since(begin), 1.9);
    BOOST_CHECK_LE(seconds_since(begin), 50.0);
    // Its handler had its time, and what it wrote then is kept.
    BOOST_CHECK(contains(read_file(log / "1.log"), "stdout F bye\n"));
    BOOST_CHECK(contains(daemon.log(), "mydockerd has stopped"));
    BOOST_CHECK(!fs::exists(cgroup));
    BOOST_CHECK(!fs::exists(daemon.socket()));
    BOOST_CHECK_EQUAL(host_mounts(), mounts);
    // Who waited for a container has been told.
    BOOST_CHECK(waiting.wait(30s) == 137);
}

BOOST_AUTO_TEST_CASE(a_second_sigterm_is_impatient) {
    Daemon daemon(daemon_keys("shutdown_timeout = \"1h\"") + container("deaf", deaf));
    // Before its trap it would have no handler, and there would be nothing to wait for.
    BOOST_REQUIRE(eventually([&] { return daemon.ctl({"logs", "deaf"}).out == "ready\n"; }));
    ::kill(daemon.pid(), SIGTERM);
    BOOST_REQUIRE(daemon.reaches("deaf", "stopping"));
    BOOST_CHECK(!daemon.ended(1s));
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "deaf"}).status, 1);
    BOOST_CHECK(contains(daemon.ctl({"run", "true"}).err, "mydockerd is shutting down"));
    ::kill(daemon.pid(), SIGTERM);
    BOOST_CHECK(daemon.ended(30s) == 0);
    BOOST_CHECK(contains(daemon.log(), "every container is killed now"));
}

BOOST_AUTO_TEST_CASE(the_verb_returns_when_mydockerd_has_ended) {
    Daemon daemon("version = 1\n" + container("web", obedient));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const fs::path cgroup = daemon.cgroup();
    const Result result = daemon.ctl({"daemon", "shutdown"});
    BOOST_CHECK_EQUAL(result.status, 0);
    BOOST_CHECK(daemon.ended(0s) == 0);
    BOOST_CHECK(!fs::exists(cgroup));
    const Result refused = daemon.ctl({"ps"});
    BOOST_CHECK_EQUAL(refused.status, 125);
    BOOST_CHECK_EQUAL(lines_of(refused.err).size(), 1U);
    BOOST_CHECK(contains(refused.err, daemon.socket()));
}

BOOST_AUTO_TEST_CASE(a_second_mydockerd_refuses_and_names_the_first) {
    const Daemon daemon("version = 1\n" + container("web", obedient));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const json before = daemon.inspect("web");
    const Result second =
        run({program("mydockerd"), "--state-dir", daemon.directory() / "run", "--data-root",
             daemon.directory() / "data", "--config", daemon.directory() / "host.toml"});
    BOOST_CHECK_EQUAL(second.status, 1);
    BOOST_CHECK(contains(second.err, "another mydockerd (pid " + std::to_string(daemon.keeper()) +
                                         ") runs with the state directory"));
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("pid"), before.at("pid"));
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempt"), 1);
}

BOOST_AUTO_TEST_CASE(autostart_is_the_operators_will_at_boot) {
    const std::string toml =
        "version = 1\n" + container("yes", std::string(obedient) + "autostart = \"yes\"") +
        container("no", std::string(obedient) + "autostart = \"no\"") +
        container("kept", std::string(obedient) + "autostart = \"unless-stopped\"") +
        container("stopped", std::string(obedient) + "autostart = \"unless-stopped\"");
    Daemon daemon(toml);
    for (const char* name : {"yes", "kept", "stopped"})
        BOOST_REQUIRE(daemon.reaches(name, "running"));
    BOOST_CHECK_EQUAL(daemon.state("no"), "created");
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "yes", "stopped"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "no"}).status, 0);
    for (const std::string name : {"docker", "unless"})
        BOOST_CHECK_EQUAL(
            daemon
                .ctl({"run", "-d", "--stop-timeout", "0", "--name", name, "--restart",
                      name == "docker" ? "always" : "unless-stopped", "sleep", "1000"})
                .status,
            0);
    BOOST_CHECK_EQUAL(
        daemon.ctl({"run", "-d", "--stop-timeout", "0", "--name", "plain", "sleep", "1000"}).status,
        0);
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "-t", "0", "unless", "docker"}).status, 0);

    const auto check = [&] {
        for (const char* name : {"yes", "kept", "docker"})
            BOOST_CHECK_MESSAGE(daemon.reaches(name, "running"), name << " was not started");
        for (const char* name : {"no", "stopped", "unless", "plain"})
            BOOST_CHECK_EQUAL(daemon.state(name), "exited");
    };
    BOOST_CHECK_EQUAL(daemon.stop(), 0);  // a shutdown's stop is not the operator's
    daemon.start();
    check();
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "yes", "docker"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.stop(), 0);
    daemon.start();
    check();
    // A start takes the operator's stop back.
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "stopped"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.stop(), 0);
    daemon.start();
    BOOST_CHECK(daemon.reaches("stopped", "running"));
}

BOOST_AUTO_TEST_CASE(a_damaged_file_of_its_own_does_not_stop_mydockerd) {
    Daemon daemon;
    BOOST_REQUIRE_EQUAL(daemon.ctl({"create", "--name", "hurt", "true"}).status, 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"create", "--name", "good", "true"}).status, 0);
    const std::string id = daemon.inspect("hurt").at("id");
    BOOST_REQUIRE_EQUAL(daemon.stop(), 0);
    const fs::path path = daemon.directory() / "data/containers" / id / "container.json";
    write_file(path, read_file(path).substr(0, 40));
    daemon.start();
    BOOST_CHECK_EQUAL(daemon.state("good"), "created");
    BOOST_CHECK_EQUAL(daemon.state("hurt"), "");
    BOOST_CHECK(fs::exists(path.string() + ".corrupt"));
    BOOST_CHECK(contains(daemon.ctl({"daemon", "info"}).out, path.string()));
}

BOOST_AUTO_TEST_CASE(a_host_file_with_errors_starts_nothing) {
    const Directory directory;
    write_file(directory / "host.toml", "version = 1\n[container.web]\ncomand = [\"true\"]\n");
    const std::vector<std::string> command = {
        program("mydockerd"), "--config",    directory / "host.toml", "--state-dir",
        directory / "run",    "--data-root", directory / "data"};
    const Result result = run(command);
    BOOST_CHECK_EQUAL(result.status, 1);
    BOOST_CHECK(contains(result.err, (directory / "host.toml").string() + ":3:1: "));
    BOOST_CHECK(!fs::exists(directory / "run"));
    auto check = command;
    check.push_back("--check");
    BOOST_CHECK_EQUAL(run(check).status, 1);
    write_file(directory / "host.toml", "version = 1\n[container.web]\ncommand = [\"true\"]\n");
    BOOST_CHECK_EQUAL(run(check).status, 0);
}

BOOST_AUTO_TEST_SUITE_END()
