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
    Process follower(daemon.ctl_command({"events", "--format", "{{.Container}} {{.State}}"}));
    // Nothing has happened to anybody: it must be listening before we begin.
    Process probe(daemon.ctl_command({"create", "--name", "probe", "true"}));
    BOOST_REQUIRE(probe.wait(30s) == 0);
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
    BOOST_CHECK(follower.wait(30s).has_value());
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

BOOST_AUTO_TEST_CASE(filters_choose_what_is_told) {
    const Daemon daemon(R"(version = 1
[container.good]
command = ["true"]
[container.bad]
command = ["sh", "-c", "exit 3"]
[container.other]
command = ["true"]
)");
    for (const char* name : {"good", "other"}) BOOST_REQUIRE(daemon.reaches(name, "exited"));
    BOOST_REQUIRE(daemon.reaches("bad", "failed"));
    const auto told = [&](const std::vector<std::string>& filters) {
        std::vector<std::string> words = {"events", "--no-follow", "--format",
                                          "{{.Container}} {{.State}} {{.Result}}"};
        words.insert(words.end(), filters.begin(), filters.end());
        auto lines = lines_of(daemon.ctl(words).out);
        std::sort(lines.begin(), lines.end());
        std::string text;
        for (const std::string& line : lines) text += line + "\n";
        return text;
    };
    BOOST_CHECK_EQUAL(told({"-f", "state=exited", "-f", "state=failed"}),
                      "bad failed exit\ngood exited clean\nother exited clean\n");
    BOOST_CHECK_EQUAL(told({"-f", "result=exit"}), "bad failed exit\n");
    BOOST_CHECK_EQUAL(told({"-f", "result=clean", "good", "bad"}), "good exited clean\n");
    BOOST_CHECK_EQUAL(told({"-f", "state=running", "-f", "container=bad", "good"}),
                      "bad running \ngood running \n");
    BOOST_CHECK_EQUAL(told({"-f", "type=daemon"}), "  \n");
    BOOST_CHECK_EQUAL(daemon.ctl({"events", "--no-follow", "-f", "type=x"}).status, 125);
    BOOST_CHECK_EQUAL(daemon.ctl({"events", "--no-follow", "-f", "colour=red"}).status, 125);
}

BOOST_AUTO_TEST_CASE(a_reader_goes_on_where_it_left_off) {
    const Daemon daemon(R"(version = 1
[container.web]
command = ["true"]
)");
    BOOST_REQUIRE(daemon.reaches("web", "exited"));
    const auto all = events(daemon);
    const auto since = [&](const std::string& query) {
        return json_lines(daemon.api("GET", "/v1/events?since=" + query).body);
    };
    BOOST_CHECK(since(all[1].at("seq").dump()) == std::vector<json>(all.begin() + 2, all.end()));
    BOOST_CHECK(since("0") == all);
    BOOST_CHECK(since(all[2].at("time")) == std::vector<json>(all.begin() + 2, all.end()));
    BOOST_CHECK(since(all.back().at("seq").dump()).empty());
    const std::string until = all[2].at("time");
    BOOST_CHECK_EQUAL(json_lines(daemon.api("GET", "/v1/events?until=" + until).body).size(), 3U);
    // Its end is in the past: a follower ends as well.
    BOOST_CHECK_EQUAL(
        json_lines(daemon.api("GET", "/v1/events?follow=1&since=0&until=" + until).body).size(),
        3U);
    // Of another life of mydockerd: told, and then everything that is known.
    const auto ahead = since("9999");
    BOOST_CHECK_EQUAL(ahead.at(0).at("type"), "gap");
    BOOST_CHECK_EQUAL(ahead.size(), all.size() + 1);
    BOOST_CHECK_EQUAL(daemon.api("GET", "/v1/events?since=noon").status, 400);
}

// The ring holds 4096: what has left it is told, not skipped in silence.
BOOST_AUTO_TEST_CASE(a_gap_is_told) {
    // Each reload changes every container: as many events.
    constexpr int containers = 150;
    const auto host_file = [](const std::string& limit) {
        std::string toml = "version = 1\n";
        for (int i = 0; i < containers; ++i)
            toml += "[container.c" + std::to_string(i) +
                    "]\ncommand = [\"true\"]\nautostart = \"no\"\nmem_limit = \"" + limit + "\"\n";
        return toml;
    };
    const Daemon daemon(host_file("50m"));
    for (int i = 0; i < 4096 / containers + 1; ++i) {
        daemon.write_host_file(host_file(i % 2 == 0 ? "60m" : "50m"));
        BOOST_REQUIRE_EQUAL(daemon.api("POST", "/v1/reload").status, 200);
    }
    const auto lines = lines_of(daemon.api("GET", "/v1/events?since=1").body);
    const json gap = json::parse(lines.at(0));
    BOOST_CHECK_EQUAL(gap.at("type"), "gap");
    BOOST_CHECK_EQUAL(json::parse(lines.at(1)).at("seq").get<int>(), gap.at("seq").get<int>() + 1);
    const Result shown = daemon.ctl({"events", "--no-follow", "--since", "1"});
    BOOST_CHECK(contains(shown.err, "events are missing here"));
    // Of the time of its beginning, some are missing too; of the last few, none.
    BOOST_CHECK_EQUAL(
        json::parse(lines_of(daemon.api("GET", "/v1/events?since=2020-01-01T00:00:00Z").body).at(0))
            .at("type"),
        "gap");
    const json last = json::parse(lines.back());
    const auto few = json_lines(
        daemon.api("GET", "/v1/events?since=" + last.at("time").get<std::string>()).body);
    BOOST_CHECK_EQUAL(few.size(), 1U);
}

BOOST_AUTO_TEST_SUITE_END()
