// mydocker-ctl as people type it: `run` from its first instruction to its exit code, the commands
// around it, and what they print.
#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

std::size_t containers_on_disk(const Daemon& daemon) {
    const fs::directory_iterator entries(daemon.directory() / "data/containers");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(run_command)

BOOST_AUTO_TEST_CASE(output_and_exit_code_are_the_workloads) {
    const Daemon daemon;
    const Result result =
        daemon.ctl({"run", "--rm", "/bin/sh", "-c", "echo out; echo err >&2; exit 7"});
    BOOST_CHECK_EQUAL(result.status, 7);
    BOOST_CHECK_EQUAL(result.out, "out\n");
    BOOST_CHECK_EQUAL(result.err, "err\n");
}

// The book's line, to the letter (its -ti needs a terminal).
BOOST_AUTO_TEST_CASE(the_books_line) {
    const Daemon daemon;
    Process client(
        daemon.ctl_command({"run", "--cpushare", "8000", "--cpuset", "0-1", "-m", "50m",
                            "/usr/bin/stress", "--vm-bytes", "30m", "--vm-keep", "--vm", "1"}));
    std::vector<json> all;
    BOOST_REQUIRE(eventually([&] {
        all = list(daemon);
        return all.size() == 1 && all[0].at("state") == "running";
    }));
    const std::string name = all[0].at("name");
    BOOST_CHECK_EQUAL(daemon.cgroup_file(name, "cpu.weight"), "306");
    BOOST_CHECK_EQUAL(daemon.cgroup_file(name, "cpuset.cpus"), "0-1");
    BOOST_CHECK_EQUAL(daemon.cgroup_file(name, "memory.max"), "52428800");
    // stress and its worker, which holds its 30 MB.
    const fs::path cgroup = daemon.inspect(name).at("cgroup").get<std::string>();
    BOOST_CHECK(eventually([&] { return processes_in(cgroup).size() == 2; }));
    BOOST_CHECK(
        eventually([&] { return std::stoul(read_file(cgroup / "memory.current")) > 30'000'000; }));
    BOOST_CHECK(client.running());
    client.signal(SIGINT);
    // stress is pid 1 and has no handler for SIGINT: the kernel would drop it, so ^C means stop.
    BOOST_CHECK(client.wait(20s) == 128 + SIGKILL);
    BOOST_CHECK_EQUAL(daemon.state(name), "exited");
    BOOST_CHECK(!fs::exists(cgroup));
    BOOST_CHECK(contains(client.out(), "stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm"));
}

BOOST_AUTO_TEST_CASE(exit_codes) {
    const Daemon daemon;
    const auto status = [&](std::vector<std::string> words) {
        const Result result = daemon.ctl(std::move(words));
        BOOST_CHECK_LE(lines_of(result.err).size(), 2U);
        return result.status;
    };
    BOOST_CHECK_EQUAL(status({"run", "--rm", "true"}), 0);
    BOOST_CHECK_EQUAL(status({"run", "--rm", "false"}), 1);
    BOOST_CHECK_EQUAL(status({"run", "--rm", "sh", "-c", "exit 255"}), 255);
    BOOST_CHECK_EQUAL(status({"run", "--rm", "--init", "sh", "-c", "kill -9 $$"}), 137);
    BOOST_CHECK_EQUAL(status({"run", "--rm", "/no/such/program"}), 127);
    BOOST_CHECK_EQUAL(status({"run", "--rm", "/etc"}), 126);
    BOOST_CHECK_EQUAL(status({"run", "--rm", "--rootfs", "/no/such", "true"}), 125);
    BOOST_CHECK_EQUAL(status({"run", "--memory", "lots", "true"}), 125);
    BOOST_CHECK_EQUAL(status({"run", "--no-such-option", "true"}), 125);
    BOOST_CHECK_EQUAL(status({"run"}), 125);
    BOOST_CHECK_EQUAL(status({"no-such-command"}), 125);
    BOOST_CHECK_EQUAL(status({"-H", "/run/no.sock", "ps"}), 125);
    BOOST_CHECK_EQUAL(status({"stop", "nobody"}), 1);
    BOOST_CHECK_EQUAL(containers_on_disk(daemon), 0U);
}

BOOST_AUTO_TEST_CASE(signals_reach_the_workload) {
    const Daemon daemon;
    const std::string script =
        "for s in TERM HUP INT QUIT; do trap \"echo got $s\" $s; done; trap 'echo done; exit 9' "
        "USR1; echo ready; while :; do sleep 0.05; done";
    Process client(daemon.ctl_command({"run", "--rm", "--name", "web", "/bin/sh", "-c", script}));
    std::string expected = "ready\n";
    const auto seen = [&] { return client.out() == expected; };
    BOOST_REQUIRE(eventually(seen));
    for (const auto& [number, name] : {std::pair{SIGTERM, "TERM"}, std::pair{SIGHUP, "HUP"},
                                       std::pair{SIGINT, "INT"}, std::pair{SIGQUIT, "QUIT"}}) {
        client.signal(number);
        expected += std::string("got ") + name + "\n";
        BOOST_CHECK(eventually(seen, 10s));
    }
    BOOST_CHECK_EQUAL(daemon.ctl({"kill", "-s", "USR1", "web"}).status, 0);
    BOOST_CHECK(client.wait(10s) == 9);
    expected += "done\n";
    BOOST_CHECK(seen());
    BOOST_CHECK_EQUAL(daemon.state("web"), "");  // --rm
    BOOST_CHECK_EQUAL(containers_on_disk(daemon), 0U);
}

BOOST_AUTO_TEST_CASE(detached_named_found_by_prefix_waited_for_and_removed) {
    const Daemon daemon;
    const Directory directory;
    const std::string id_file = (directory / "id").string();
    const Result run =
        daemon.ctl({"run", "-d", "--name", "web", "--cidfile", id_file, "/bin/sh", "-c",
                    "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; "
                    "done"});
    BOOST_REQUIRE_EQUAL(run.status, 0);
    const std::string id = run.out.substr(0, 32);
    BOOST_CHECK_EQUAL(run.out, id + "\n");
    BOOST_CHECK_EQUAL(read_file(id_file), id);
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("id"), id);
    BOOST_CHECK_EQUAL(daemon.inspect(id).at("name"), "web");
    BOOST_CHECK_EQUAL(daemon.inspect(id.substr(0, 5)).at("name"), "web");
    BOOST_CHECK_EQUAL(daemon.ctl({"ps", "-q", "--no-trunc"}).out, id + "\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"ps", "--format", "{{.Name}} {{.State}}"}).out, "web running\n");
    const Result taken = daemon.ctl({"create", "--name", "web", "true"});
    BOOST_CHECK_EQUAL(taken.status, 125);
    BOOST_CHECK(contains(taken.err, "the name \"web\" is taken"));
    BOOST_REQUIRE(eventually([&] { return daemon.ctl({"logs", "web"}).out == "ready\n"; }));

    Process waiting(daemon.ctl_command({"wait", id.substr(0, 12)}));
    BOOST_CHECK(!waiting.wait(300ms));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", id.substr(0, 12)}).status, 0);
    BOOST_CHECK(waiting.wait(10s) == 4);
    BOOST_CHECK_EQUAL(waiting.out(), "4\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"ps", "-q"}).out, "");
    BOOST_CHECK_EQUAL(daemon.ctl({"ps", "-aq", "--no-trunc"}).out, id + "\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"rm", "web"}).out, "web\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"ps", "-aq"}).out, "");
    BOOST_CHECK(eventually([&] { return containers_on_disk(daemon) == 0; }, 5s));
}

BOOST_AUTO_TEST_CASE(create_then_start) {
    const Daemon daemon;
    const Result created = daemon.ctl({"create", "--name", "web", "-m", "64m", "--env", "A=b c",
                                       "--restart", "on-failure:3", "sh", "-c", "echo $A"});
    BOOST_REQUIRE_EQUAL(created.status, 0);
    BOOST_CHECK_EQUAL(daemon.state("web"), "created");
    const json config = daemon.inspect("web").at("config");
    BOOST_CHECK_EQUAL(config.at("mem_limit"), "64m");
    BOOST_CHECK_EQUAL(config.at("restart").at("attempts"), 3);
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "web"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.ctl({"wait", "web"}).out, "0\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "web"}).out, "b c\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "web", "nobody"}).status, 1);
}

BOOST_AUTO_TEST_CASE(the_writable_layer_is_the_containers_own_and_outlives_its_attempts) {
    const Daemon daemon;
    BOOST_CHECK_EQUAL(
        daemon
            .ctl({"create", "--name", "web", "sh", "-c", "echo x >> /etc/mine; wc -l < /etc/mine"})
            .status,
        0);
    for (int i = 0; i < 3; ++i) {
        BOOST_CHECK_EQUAL(daemon.ctl({"start", "web"}).status, 0);
        BOOST_CHECK_EQUAL(daemon.ctl({"wait", "web"}).status, 0);
    }
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "web"}).out, "1\n2\n3\n");
    BOOST_CHECK(!fs::exists("/etc/mine"));
}

BOOST_AUTO_TEST_CASE(views_for_people_and_programs) {
    const Daemon daemon(R"(version = 1
[container.web]
command = ["sh", "-c", "echo hello; exec sleep 1000"]
stop_grace_period = "0s"
mem_limit = "64m"
[container.bad]
command = ["/no/such/program"]
restart = { policy = "on-failure", delay = "1h", max_delay = "1h", jitter = 0 }
)");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE(daemon.reaches("bad", "waiting"));
    const auto table = lines_of(daemon.ctl({"ps"}).out);
    BOOST_REQUIRE_EQUAL(table.size(), 3U);
    BOOST_CHECK(contains(table[1], "bad"));
    BOOST_CHECK(contains(table[2], "web"));

    const Result explained = daemon.ctl({"explain", "bad"});
    BOOST_CHECK_EQUAL(explained.status, 0);
    for (const char* part : {"waiting", "execute /no/such/program: No such file or directory",
                             "it starts in", "on-failure"})
        BOOST_CHECK_MESSAGE(contains(explained.out, part), part << " in:\n" << explained.out);
    const json told = json::parse(daemon.ctl({"explain", "--format", "json", "bad"}).out);
    BOOST_CHECK_EQUAL(told.at("state"), "waiting");
    BOOST_CHECK_GT(told.at("next_start_ms").get<int>(), 3'000'000);

    const Result status = daemon.ctl({"status", "web"});
    for (const char* part : {"web", "running", "memory.max", "hello"})
        BOOST_CHECK_MESSAGE(contains(status.out, part), part << " in:\n" << status.out);
    BOOST_CHECK(contains(daemon.ctl({"status"}).out, "web"));

    const json info = json::parse(daemon.ctl({"daemon", "info", "--format", "json"}).out);
    BOOST_CHECK_EQUAL(info.at("pid"), daemon.pid());
    BOOST_CHECK_EQUAL(info.at("containers").at("total"), 2);
    BOOST_CHECK_EQUAL(info.at("containers").at("running"), 1);
    BOOST_CHECK_EQUAL(info.at("missing_controllers").size(), 0U);
    BOOST_CHECK(contains(daemon.ctl({"daemon", "info"}).out, daemon.socket()));

    const json version = json::parse(daemon.ctl({"version", "--format", "json"}).out);
    BOOST_CHECK_EQUAL(version.at("daemon").at("pid"), daemon.pid());
    BOOST_CHECK_EQUAL(version.at("client").at("version"), version.at("daemon").at("version"));
}

BOOST_AUTO_TEST_CASE(a_host_file_is_checked_without_a_daemon) {
    const Directory directory;
    const std::string good = (directory / "good.toml").string();
    const std::string bad = (directory / "bad.toml").string();
    write_file(good, "version = 1\n[container.web]\ncommand = [\"true\"]\n");
    write_file(bad,
               "version = 1\n[container.web]\ncommand = [\"true\"]\nmem_limt = \"5m\"\n"
               "cpus = \"many\"\n");
    const auto check = [](const std::string& file) {
        return run({program("mydocker-ctl"), "config", "check", file});
    };
    BOOST_CHECK_EQUAL(check(good).status, 0);
    BOOST_CHECK_EQUAL(check(good).out, good + ": ok, 1 container\n");
    const Result result = check(bad);
    BOOST_CHECK_EQUAL(result.status, 1);
    BOOST_REQUIRE_EQUAL(lines_of(result.err).size(), 2U);
    BOOST_CHECK(contains(lines_of(result.err)[0], bad + ":4:1: "));
    BOOST_CHECK(contains(lines_of(result.err)[0], "mem_limit"));
    BOOST_CHECK(contains(lines_of(result.err)[1], bad + ":5:8: "));
}

BOOST_AUTO_TEST_CASE(a_policy_holds_for_a_run_in_the_foreground) {
    const Daemon daemon;
    const Result result = daemon.ctl({"run", "--rm", "--restart", "on-failure:2", "--restart-delay",
                                      "10ms", "sh", "-c", "echo again; exit 6"});
    BOOST_CHECK_EQUAL(result.status, 6);
    BOOST_CHECK_EQUAL(result.out, "again\nagain\nagain\n");
}

BOOST_AUTO_TEST_SUITE_END()
