// Waiting for each condition, and what is told when it can never come.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <future>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

Process wait_for(const Daemon& daemon, const std::string& condition, const std::string& name) {
    return Process(daemon.ctl_command({"wait", "--condition", condition, name}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(waiting)

BOOST_AUTO_TEST_CASE(each_condition_is_met_in_its_time) {
    const Daemon daemon;
    BOOST_TEST(daemon
                   .ctl({"create", "--name", "web", "sh", "-c",
                         "trap 'exit 5' TERM; while :; do sleep 0.05; done"})
                   .status == 0);
    // A container at rest is stopped already.
    BOOST_TEST(daemon.ctl({"wait", "--condition", "not-running", "web"}).status == 125);
    Process running = wait_for(daemon, "running", "web");
    Process paused = wait_for(daemon, "paused", "web");
    Process next_exit = wait_for(daemon, "next-exit", "web");
    Process removed = wait_for(daemon, "removed", "web");
    BOOST_TEST(!running.wait(4s).has_value());
    BOOST_TEST(daemon.ctl({"start", "web"}).status == 0);
    BOOST_TEST(running.wait(20s).value_or(-1) == 0);
    BOOST_TEST(running.out() == "running\n");
    BOOST_TEST(paused.running());
    BOOST_REQUIRE(daemon.heeds("web", SIGTERM));
    BOOST_TEST(daemon.ctl({"pause", "web"}).status == 0);
    BOOST_TEST(paused.wait(20s).value_or(-1) == 0);
    BOOST_TEST(next_exit.running());
    BOOST_TEST(daemon.ctl({"stop", "web"}).status == 0);
    BOOST_TEST(next_exit.wait(20s).value_or(-1) == 5);
    BOOST_TEST(next_exit.out() == "5\n");
    BOOST_TEST(daemon.ctl({"wait", "web"}).status == 5);
    BOOST_TEST(removed.running());
    BOOST_TEST(daemon.ctl({"rm", "web"}).status == 0);
    BOOST_TEST(removed.wait(20s).value_or(-1) == 5);
}

// A restart by policy is an exit, and no rest.
BOOST_AUTO_TEST_CASE(the_next_exit_is_not_the_last) {
    const Daemon daemon(R"([container.web]
command = ["sh", "-c", "sleep 0.2; exit 3"]
restart = { policy = "always", delay = "10ms", jitter = 0 }
)");
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(daemon.ctl({"wait", "--condition", "next-exit", "web"}).status == 3);
    const auto ended =
        json::parse(daemon.api("POST", "/v1/containers/web/wait?condition=next-exit").body);
    BOOST_TEST(ended.at("exit_code") == 3);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_waited_for_is_told) {
    const Daemon daemon;
    BOOST_TEST(daemon.ctl({"create", "--name", "web", "true"}).status == 0);
    const auto reply = daemon.api("POST", "/v1/containers/web/wait?condition=happy");
    BOOST_TEST(reply.status == 400);
    BOOST_TEST(contains(reply.body, "next-exit"));
    auto running = std::async(std::launch::async, [&] {
        return daemon.api("POST", "/v1/containers/web/wait?condition=running");
    });
    BOOST_TEST((running.wait_for(1s) == std::future_status::timeout));
    BOOST_TEST(daemon.api("DELETE", "/v1/containers/web").status == 204);
    const Daemon::Reply answer = running.get();
    BOOST_TEST(answer.status == 409);
    BOOST_TEST(contains(answer.body, "removed before"));
}

BOOST_AUTO_TEST_SUITE_END()
