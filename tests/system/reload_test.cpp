// A new host file, by the verb and by SIGHUP: what did not change keeps its process, what did is
// done as the plan said, and a broken file changes nothing.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <map>

#include "tests/system/harness.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

std::string sleeping(const std::string& name, const std::string& keys = "") {
    return "[container." + name +
           "]\ncommand = [\"sleep\", \"1000\"]\nstop_grace_period = \"0s\"\n" + keys + "\n";
}

const std::string before = "version = 1\n[daemon]\nmax_concurrent_starts = 4\n" + sleeping("same") +
                           sleeping("live", "mem_limit = \"64m\"") +
                           sleeping("anew", "hostname = \"old\"") + sleeping("gone") +
                           sleeping("next", "stop_signal = \"SIGINT\"");
const std::string after = "version = 1\n[daemon]\nmax_concurrent_starts = 5\n" + sleeping("same") +
                          sleeping("live", "mem_limit = \"96m\"") +
                          sleeping("anew", "hostname = \"new\"") + sleeping("come") +
                          sleeping("next", "stop_signal = \"SIGINT\"");

std::map<std::string, int> pids(const Daemon& daemon) {
    std::map<std::string, int> all;
    for (const json& one : list(daemon)) all[one.at("name")] = one.at("pid");
    return all;
}

std::map<std::string, int> running_pids(const Daemon& daemon) {
    for (const char* name : {"same", "live", "anew", "gone", "next"})
        BOOST_REQUIRE(daemon.reaches(name, "running"));
    return pids(daemon);
}

std::string action_on(const std::vector<json>& changes, const std::string& container) {
    std::string actions;
    for (const json& change : changes)
        if (change.at("container") == container)
            actions += change.at("action").get<std::string>() + change.at("keys").dump();
    return actions;
}

void check_changes(const std::vector<json>& changes) {
    BOOST_CHECK_EQUAL(action_on(changes, ""), "live[\"max_concurrent_starts\"]");
    BOOST_CHECK_EQUAL(action_on(changes, "live"), "live[\"mem_limit\"]");
    BOOST_CHECK_EQUAL(action_on(changes, "anew"), "recreate[\"hostname\"]");
    BOOST_CHECK_EQUAL(action_on(changes, "gone"), "remove[]");
    BOOST_CHECK_EQUAL(action_on(changes, "come"), "add[]");
    BOOST_CHECK_EQUAL(changes.size(), 5U);
}

void check_done(const Daemon& daemon, const std::map<std::string, int>& old) {
    BOOST_CHECK(daemon.reaches("come", "running"));
    BOOST_CHECK(eventually([&] {
        const json shown = daemon.inspect("anew");
        return shown.value("attempt", 0) == 2 && shown.value("state", "") == "running";
    }));
    BOOST_CHECK(daemon.reaches("gone", ""));
    const auto now = pids(daemon);
    for (const char* name : {"same", "live", "next"}) BOOST_CHECK_EQUAL(now.at(name), old.at(name));
    BOOST_CHECK_NE(now.at("anew"), old.at("anew"));
    BOOST_CHECK_EQUAL(daemon.inspect("anew").at("config").at("hostname"), "new");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("live", "memory.max"), "100663296");
    const json info = json::parse(daemon.ctl({"daemon", "info", "--format", "json"}).out);
    BOOST_CHECK_EQUAL(info.at("max_concurrent_starts"), 5);
    BOOST_CHECK_EQUAL(info.at("containers").at("total"), 5);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reload)

BOOST_AUTO_TEST_CASE(a_plan_is_shown_and_changes_nothing_then_the_reload_does_it) {
    const Daemon daemon(before);
    const auto old = running_pids(daemon);
    daemon.write_host_file(after);
    const Result plan = daemon.ctl({"reload", "--plan", "--format", "json"});
    BOOST_CHECK_EQUAL(plan.status, 0);
    check_changes(json_lines(plan.out));
    BOOST_CHECK(pids(daemon) == old);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("live", "memory.max"), "67108864");
    BOOST_CHECK_EQUAL(daemon.state("come"), "");

    const Result done = daemon.ctl({"reload", "--format", "json"});
    BOOST_CHECK_EQUAL(done.status, 0);
    check_changes(json_lines(done.out));
    check_done(daemon, old);
    const auto now = pids(daemon);
    const Result again = daemon.ctl({"reload"});
    BOOST_CHECK_EQUAL(again.out, "nothing changes\n");
    BOOST_CHECK(pids(daemon) == now);
}

BOOST_AUTO_TEST_CASE(sighup_does_the_same) {
    const Daemon daemon(before);
    const auto old = running_pids(daemon);
    daemon.write_host_file(after);
    ::kill(daemon.pid(), SIGHUP);
    check_done(daemon, old);
}

BOOST_AUTO_TEST_CASE(a_broken_file_changes_nothing_and_all_its_errors_are_told) {
    const Daemon daemon(before);
    const auto old = running_pids(daemon);
    daemon.write_host_file(after + sleeping("bad", "mem_limit = \"lots\"\nrestart = \"perhaps\""));
    const std::string path = (daemon.directory() / "host.toml").string();
    for (const std::vector<std::string>& verb :
         {std::vector<std::string>{"reload"}, {"reload", "--plan"}, {"up"}}) {
        const Result result = daemon.ctl(verb);
        BOOST_CHECK_NE(result.status, 0);
        BOOST_CHECK_EQUAL(result.out, "");
        const auto lines = lines_of(result.err);
        BOOST_REQUIRE_EQUAL(lines.size(), 3U);
        BOOST_CHECK_EQUAL(lines[0], "mydocker-ctl: " + path + " has errors; nothing was changed");
        BOOST_CHECK_MESSAGE(lines[1].find(path + ":") != std::string::npos, lines[1]);
        BOOST_CHECK_MESSAGE(lines[1].find("container.bad.mem_limit") != std::string::npos,
                            lines[1]);
        BOOST_CHECK_MESSAGE(lines[2].find("container.bad.restart") != std::string::npos, lines[2]);
        BOOST_CHECK(pids(daemon) == old);
    }
    const std::string log = daemon.log();
    ::kill(daemon.pid(), SIGHUP);
    BOOST_CHECK(eventually([&] {
        return daemon.log().find("container.bad.restart", log.size()) != std::string::npos;
    }));
    BOOST_CHECK(pids(daemon) == old);
    std::filesystem::remove(path);
    BOOST_CHECK_NE(daemon.ctl({"reload"}).status, 0);
    BOOST_CHECK(pids(daemon) == old);
}

BOOST_AUTO_TEST_CASE(without_a_host_file_there_is_nothing_to_reload) {
    const Daemon daemon;
    const Result result = daemon.ctl({"reload"});
    BOOST_CHECK_EQUAL(result.status, 1);
    BOOST_CHECK_EQUAL(result.err,
                      "mydocker-ctl: mydockerd was started without a host file: there is nothing "
                      "to reload\n");
    ::kill(daemon.pid(), SIGHUP);
    BOOST_CHECK_EQUAL(daemon.ctl({"version"}).status, 0);
}

BOOST_AUTO_TEST_CASE(a_container_at_rest_stays_at_rest) {
    const Daemon daemon(before);
    running_pids(daemon);
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "anew", "live"}).status, 0);
    daemon.write_host_file(after);
    BOOST_CHECK_EQUAL(daemon.ctl({"reload"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.state("anew"), "exited");
    BOOST_CHECK_EQUAL(daemon.state("live"), "exited");
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "live"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("live", "memory.max"), "100663296");
}

BOOST_AUTO_TEST_CASE(up_and_down) {
    const Daemon daemon(before);
    running_pids(daemon);
    const Result down = daemon.ctl({"down", "same", "live"});
    BOOST_CHECK_EQUAL(down.status, 0);
    BOOST_CHECK_EQUAL(daemon.state("same"), "exited");
    BOOST_CHECK_EQUAL(daemon.state("live"), "exited");
    BOOST_CHECK_EQUAL(daemon.state("next"), "running");
    BOOST_CHECK_EQUAL(daemon.ctl({"down"}).status, 0);
    for (const auto& [name, pid] : pids(daemon)) BOOST_CHECK_EQUAL(pid, 0);
    BOOST_CHECK_EQUAL(daemon.ctl({"down"}).out, "nothing to stop\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"up", "same"}).status, 0);
    BOOST_CHECK(daemon.reaches("same", "running"));
    BOOST_CHECK_EQUAL(daemon.state("next"), "exited");
    daemon.write_host_file(after);
    BOOST_CHECK_EQUAL(daemon.ctl({"up"}).status, 0);
    for (const char* name : {"same", "live", "anew", "come", "next"})
        BOOST_CHECK(daemon.reaches(name, "running"));
    BOOST_CHECK_EQUAL(daemon.state("gone"), "");
    BOOST_CHECK_EQUAL(daemon.ctl({"up", "nobody"}).status, 1);
}

BOOST_AUTO_TEST_SUITE_END()
