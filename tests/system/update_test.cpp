// Update: limits and policies of a living container, all or nothing, kept across its restarts and
// mydockerd's; and its name, and its processes.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/system/counting.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

std::string web_with(const std::string& keys) {
    return "version = 1\n[container.web]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = "
           "\"KILL\"\n" +
           keys;
}

std::string bytes(int mebibytes) { return std::to_string(mebibytes << 20); }

}  // namespace

BOOST_AUTO_TEST_SUITE(updating)

BOOST_AUTO_TEST_CASE(limits_reach_the_kernel_and_stay) {
    Daemon daemon;
    BOOST_TEST(daemon
                   .ctl({"run", "-d", "--name", "web", "-m", "50m", "--stop-signal", "KILL",
                         "sleep", "1000"})
                   .status == 0);
    const int pid = pid_of(daemon, "web");
    const Result result = daemon.ctl({"update", "-m", "64m", "--memory-swap", "-1", "--cpus", "0.5",
                                      "--cpuset", "1", "--pids-limit", "9", "--cpu-shares", "2048",
                                      "--restart", "on-failure:3", "web"});
    BOOST_TEST(result.err == "");
    BOOST_TEST(result.status == 0);
    BOOST_TEST(contains(result.out, "web: changed without touching the workload: mem_limit"));
    const auto stands = [&] {
        BOOST_TEST(daemon.cgroup_file("web", "memory.max") == bytes(64));
        BOOST_TEST(daemon.cgroup_file("web", "memory.swap.max") == "max");
        BOOST_TEST(daemon.cgroup_file("web", "cpu.max") == "50000 100000");
        BOOST_TEST(daemon.cgroup_file("web", "cpuset.cpus") == "1");
        BOOST_TEST(daemon.cgroup_file("web", "pids.max") == "9");
        BOOST_TEST(daemon.inspect("web").at("config").at("restart").at("attempts") == 3);
    };
    stands();
    BOOST_TEST(pid_of(daemon, "web") == pid);
    BOOST_TEST(daemon.ctl({"restart", "web"}).status == 0);
    stands();
    BOOST_TEST(daemon.stop() == 0);
    daemon.start();
    BOOST_TEST(daemon.ctl({"start", "web"}).status == 0);
    stands();
    BOOST_TEST(
        daemon.ctl({"update", "-m", "none", "--memory-swap", "none", "--pids-limit", "none", "web"})
            .status == 0);
    BOOST_TEST(daemon.cgroup_file("web", "memory.max") == "max");
    BOOST_TEST(daemon.cgroup_file("web", "pids.max") == "max");
    const auto told = events(daemon, "web");
    BOOST_TEST(told.back().at("type") == "update");
}

BOOST_AUTO_TEST_CASE(what_the_kernel_refuses_changes_nothing) {
    const Daemon daemon(web_with("mem_limit = \"50m\"\npids_limit = 20\ncpuset = \"0\"\n"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const json before = daemon.inspect("web").at("config");
    const Result absent =
        daemon.ctl({"update", "-m", "70m", "--cpuset", "0,999", "--pids-limit", "30", "web"});
    BOOST_TEST(absent.status == 1);
    BOOST_TEST(contains(absent.err, "999"));
    BOOST_TEST(contains(absent.err, "left as it was"));
    const auto untouched = [&] {
        BOOST_TEST(daemon.cgroup_file("web", "memory.max") == bytes(50));
        BOOST_TEST(daemon.cgroup_file("web", "pids.max") == "20");
        BOOST_TEST(daemon.cgroup_file("web", "cpuset.cpus") == "0");
        BOOST_TEST(daemon.inspect("web").at("config") == before);
        BOOST_TEST(!daemon.inspect("web").contains("updated"));
    };
    untouched();
    // And what is no sense at all does not come so far.
    for (const char* body :
         {R"({"mem_limit":"70m","pids_limit":"x"})", R"({"mem_limit":"70m","command":["true"]})",
          R"({"mem_limit":"70m","memswap_limit":"60m"})", R"({"mem_limit":"70m","nothing":1})",
          R"({})", "[]", "{"}) {
        const auto reply = daemon.api("POST", "/v1/containers/web/update", body);
        BOOST_TEST((reply.status == 400 || reply.status == 409), body << ": " << reply.body);
        untouched();
    }
    BOOST_TEST(daemon.ctl({"update", "web"}).status == 125);
}

BOOST_AUTO_TEST_CASE(the_files_container_keeps_an_update_until_the_file_says_otherwise) {
    Daemon daemon(web_with("mem_limit = \"50m\"\ncpus = 1\n"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(daemon.ctl({"update", "-m", "64m", "--cpus", "0.5", "web"}).status == 0);
    BOOST_TEST(daemon.inspect("web").at("updated").at("mem_limit") == "64m");
    // Across its restart, a reload of the same file, and mydockerd's own restart.
    BOOST_TEST(daemon.ctl({"restart", "web"}).status == 0);
    BOOST_TEST(daemon.ctl({"reload"}).status == 0);
    BOOST_TEST(daemon.cgroup_file("web", "memory.max") == bytes(64));
    BOOST_TEST(daemon.stop() == 0);
    daemon.start();
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(daemon.cgroup_file("web", "memory.max") == bytes(64));
    BOOST_TEST(daemon.cgroup_file("web", "cpu.max") == "50000 100000");
    // The file changes the one; the other stays.
    daemon.write_host_file(web_with("mem_limit = \"56m\"\ncpus = 1\n"));
    const Result plan = daemon.ctl({"reload", "--plan"});
    BOOST_TEST(contains(plan.out, "mem_limit's update ends"));
    BOOST_TEST(contains(plan.out, "cpus stays as updated"));
    BOOST_TEST(daemon.cgroup_file("web", "memory.max") == bytes(64));
    BOOST_TEST(daemon.ctl({"reload"}).status == 0);
    BOOST_TEST(daemon.cgroup_file("web", "memory.max") == bytes(56));
    BOOST_TEST(daemon.cgroup_file("web", "cpu.max") == "50000 100000");
    BOOST_TEST(!daemon.inspect("web").at("updated").contains("mem_limit"));
    // While mydockerd is down too.
    BOOST_TEST(daemon.stop() == 0);
    daemon.write_host_file(web_with("mem_limit = \"56m\"\ncpus = 2\n"));
    daemon.start();
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_TEST(daemon.cgroup_file("web", "cpu.max") == "200000 100000");
    BOOST_TEST(!daemon.inspect("web").contains("updated"));
}

BOOST_AUTO_TEST_CASE(a_new_name) {
    Daemon daemon(web_with(""));
    BOOST_TEST(daemon.ctl({"run", "-d", "--name", "old", "--stop-signal", "KILL", "sleep", "1000"})
                   .status == 0);
    const int pid = pid_of(daemon, "old");
    BOOST_TEST(daemon.ctl({"rename", "old", "new"}).status == 0);
    BOOST_TEST(daemon.state("old").empty());
    BOOST_TEST(pid_of(daemon, "new") == pid);
    BOOST_TEST(daemon.ctl({"restart", "new"}).status == 0);
    BOOST_TEST(contains(daemon.ctl({"rename", "new", "web"}).err, "taken"));
    BOOST_TEST(contains(daemon.ctl({"rename", "web", "c"}).err, "host file"));
    BOOST_TEST(daemon.ctl({"rename", "new", "../c"}).status != 0);
    BOOST_TEST(daemon.ctl({"rename", "nobody", "c"}).status == 1);
    BOOST_TEST(daemon.stop() == 0);
    daemon.start();
    BOOST_TEST(daemon.state("new") == "exited");
    BOOST_TEST(daemon.ctl({"rm", "new"}).status == 0);
    BOOST_TEST(daemon.state("new").empty());
}

BOOST_AUTO_TEST_CASE(the_processes_of_a_container) {
    const Daemon daemon(
        "[container.web]\ncommand = [\"sh\", \"-c\", \"sleep 1001 & exec sleep 1002\"]\nuser = "
        "\"1234\"\nstop_signal = \"KILL\"\n[container.idle]\ncommand = [\"true\"]\nautostart = "
        "\"no\"\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE(eventually([&] {
        return json_lines(daemon.ctl({"top", "--format", "json", "web"}).out).size() == 2 &&
               contains(daemon.ctl({"top", "web"}).out, "sleep 1002");
    }));
    const auto processes = json_lines(daemon.ctl({"top", "--format", "json", "web"}).out);
    BOOST_TEST(processes[0].at("pid") == daemon.inspect("web").at("pid"));
    BOOST_TEST(processes[0].at("container_pid") == 1);
    BOOST_TEST(processes[0].at("command") == "sleep 1002");
    BOOST_TEST(processes[0].at("uid") == 1234);
    BOOST_TEST(processes[1].at("command") == "sleep 1001");
    BOOST_TEST(contains(daemon.ctl({"top", "web"}).out, "IN CONTAINER"));
    BOOST_TEST(contains(daemon.ctl({"top", "idle"}).err, "no processes"));
}

BOOST_AUTO_TEST_SUITE_END()
