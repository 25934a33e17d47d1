// The event stream: every change of state with its reason, in order, live and afterwards, for all
// containers or one.
#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(event_stream)

BOOST_AUTO_TEST_CASE(the_life_of_a_container_is_told_in_order) {
    const Daemon daemon(R"(version = 1
[container.web]
command = ["/bin/sh", "-c", "exit 3"]
restart = { policy = "on-failure", delay = "10ms", jitter = 0, attempts = 1 }
)");
    BOOST_REQUIRE(daemon.reaches("web", "failed"));
    BOOST_CHECK_EQUAL(states(daemon, "web"),
                      "starting running cleaning waiting starting running cleaning failed");
    const auto all = events(daemon, "web");
    std::string before = "created";
    std::int64_t sequence = 0;
    for (const json& event : all) {
        BOOST_CHECK_EQUAL(event.at("from"), before);
        before = event.at("state");
        BOOST_CHECK_GT(event.at("seq").get<std::int64_t>(), sequence);
        sequence = event.at("seq");
        BOOST_CHECK_EQUAL(event.at("id"), daemon.inspect("web").at("id"));
        BOOST_CHECK(!event.at("reason").get<std::string>().empty());
    }
    BOOST_CHECK_EQUAL(all[3].at("reason"),
                      "exited with code 3; restart 1 of 1 in 10ms (on-failure)");
    BOOST_CHECK_EQUAL(all[3].at("attempt"), 1);
    BOOST_CHECK_EQUAL(all[7].at("attempt"), 2);
    // By id as well, and from a number on.
    const std::string id = daemon.inspect("web").at("id");
    BOOST_CHECK_EQUAL(states(daemon, id.substr(0, 12)), states(daemon, "web"));
    const Result since = daemon.ctl({"events", "--no-follow", "--format", "{{.State}}", "--since",
                                     all[5].at("seq").dump(), "web"});
    BOOST_CHECK_EQUAL(since.out, "cleaning\nfailed\n");
}

BOOST_AUTO_TEST_CASE(a_follower_hears_it_as_it_happens) {
    const Daemon daemon;
    Process follower({program("mydocker-ctl"), "-H", daemon.socket(), "events", "--format",
                      "{{.Container}} {{.State}}"});
    // Nothing has happened to anybody: it must be listening before we begin.
    Process probe(
        {program("mydocker-ctl"), "-H", daemon.socket(), "create", "--name", "probe", "true"});
    BOOST_REQUIRE(probe.wait(10s) == 0);
    BOOST_REQUIRE(eventually([&] {
        BOOST_REQUIRE_EQUAL(daemon.ctl({"start", "probe"}).status, 0);
        BOOST_REQUIRE_EQUAL(daemon.ctl({"wait", "probe"}).status, 0);
        return !follower.out().empty();
    }));
    BOOST_CHECK_EQUAL(daemon.ctl({"run", "--rm", "--name", "web", "true"}).status, 0);
    BOOST_CHECK(
        eventually([&] { return follower.out().find("web removed") != std::string::npos; }));
    BOOST_CHECK_NE(follower.out().find("web starting\nweb running\nweb cleaning\nweb exited\n"),
                   std::string::npos);
    BOOST_CHECK(follower.running());
    follower.signal(SIGINT);
    BOOST_CHECK(follower.wait(5s).has_value());
}

BOOST_AUTO_TEST_CASE(reloads_and_the_daemon_are_told_too) {
    const Daemon daemon("version = 1\n[container.web]\ncommand = [\"true\"]\nautostart = \"no\"\n");
    daemon.write_host_file(
        "version = 1\n[container.web]\ncommand = [\"true\"]\nautostart = \"no\"\n"
        "mem_limit = \"50m\"\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"reload"}).status, 0);
    const auto all = events(daemon);
    BOOST_REQUIRE_EQUAL(all.size(), 2U);
    BOOST_CHECK_EQUAL(all[0].at("type"), "daemon");
    BOOST_CHECK_EQUAL(all[0].at("reason"), "started with 1 containers");
    BOOST_CHECK_EQUAL(all[1].at("type"), "reload");
    BOOST_CHECK_EQUAL(all[1].at("container"), "web");
    BOOST_CHECK_EQUAL(all[1].at("state"), "live");
}

BOOST_AUTO_TEST_SUITE_END()
