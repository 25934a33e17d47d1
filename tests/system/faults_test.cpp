// Resource errors never end mydockerd: in the course of a container's whole life each system call
// that can fail does so once. mydockerd goes on, says what is wrong, and has recovered afterwards.
// And they cost nothing where one mydockerd takes over from another: at worst there is a third.
// MYDOCKER_FAULTS_STEP (default 16; 1 for all): which of a takeover's calls are tried.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/ordered_faults.hpp"
#include "tests/system/supervision.hpp"
#include "tests/system/workload.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

const json container = {{"command", {"/bin/sh", "-c", "echo a line; exit 7"}}};

void fail_every_call(int error) {
    OrderedFaults faults;
    Daemon daemon;
    const pid_t mydockerd = daemon.pid();
    BOOST_REQUIRE_EQUAL(run_to_end(daemon, container).status, 7);
    int failed_runs = 0;
    int nth = 1;
    for (;; ++nth) {
        BOOST_REQUIRE_LT(nth, 1000);
        faults.arm(error, nth);
        const std::string name = "c" + std::to_string(nth);
        const Result result = run_to_end(daemon, container, name);
        if (!faults.disarm()) break;
        const std::string what = std::string(std::strerror(error)) + " at call " +
                                 std::to_string(nth) + " (" + faults.last() + ")";
        BOOST_REQUIRE_MESSAGE(daemon.pid() == mydockerd, what << " has ended mydockerd");
        if (result.status != 7) {
            ++failed_runs;
            BOOST_CHECK_MESSAGE(!result.err.empty() || daemon.state(name).empty() ||
                                    !daemon.inspect(name).value("reason", "").empty(),
                                what << ": nobody says what was wrong");
        }
        daemon.api("DELETE", "/v1/containers/" + name + "?force=1");
        const Result after = run_to_end(daemon, container, "after");
        BOOST_CHECK_MESSAGE(after.status == 7, what << " is not recovered from: " << after.err);
        daemon.api("DELETE", "/v1/containers/after?force=1");
    }
    BOOST_TEST_MESSAGE(std::strerror(error)
                       << ": " << nth - 1 << " calls failed, " << failed_runs << " runs with them");
    BOOST_CHECK_GT(nth, 1);
    BOOST_CHECK(eventually([&] { return cgroups_below(daemon.cgroup()).empty(); }));
    BOOST_CHECK(eventually([&] { return children_of(mydockerd).size() == 1; }));
}

// Whatever an operator may do with what runs.
void a_day(const Daemon& daemon) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"exec", "web", "true"},
                                               {"pause", "web"},
                                               {"unpause", "web"},
                                               {"update", "-m", "64m", "web"},
                                               {"kill", "-s", "CONT", "web"},
                                               {"restart", "-t", "0", "web"},
                                               {"stop", "-t", "0", "web"},
                                               {"start", "web"}})
        daemon.ctl(words, 20s);
}

void fail_every_call_of_a_day(int error, int step) {
    OrderedFaults faults;
    Daemon daemon(
        "version = 1\n[container.web]\ncommand = [\"sleep\", \"1000\"]\n"
        "[container.web.restart]\npolicy = \"always\"\ndelay = \"50ms\"\nmultiplier = 1.0\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const pid_t mydockerd = daemon.pid();
    int nth = 1;
    for (;; nth += step) {
        BOOST_REQUIRE_LT(nth, 2000);
        faults.arm(error, nth);
        a_day(daemon);
        if (!faults.disarm()) break;
        const std::string what = std::string(std::strerror(error)) + " at call " +
                                 std::to_string(nth) + " (" + faults.last() + ")";
        BOOST_REQUIRE_MESSAGE(daemon.pid() == mydockerd, what << " has ended mydockerd");
        // The next day is a good one.
        BOOST_CHECK_EQUAL(daemon.ctl({"start", "web"}).status, 0);
        BOOST_CHECK_MESSAGE(daemon.reaches("web", "running"), what << " is not recovered from");
        BOOST_CHECK_EQUAL(daemon.ctl({"exec", "web", "true"}).status, 0);
        BOOST_CHECK_EQUAL(daemon.ctl({"stop", "-t", "0", "web"}).status, 0);
        BOOST_CHECK_EQUAL(daemon.state("web"), "exited");
        BOOST_CHECK_EQUAL(daemon.ctl({"start", "web"}).status, 0);
    }
    BOOST_TEST_MESSAGE("a day, " << std::strerror(error) << ": up to call " << nth);
    BOOST_CHECK_GT(nth, 1);
}

constexpr auto taken_over = R"(version = 1
[daemon]
limits = "best-effort"
[container.web]
command = ["sleep", "1000"]
mem_limit = "32m"
stop_signal = "KILL"
[container.ended]
command = ["sh", "-c", "exit 3"]
restart = "no"
[container.waits]
command = ["false"]
[container.waits.restart]
policy = "always"
delay = "10m"
max_delay = "10m"
[container.stopped]
command = ["sleep", "1000"]
stop_signal = "KILL"
)";

// All that must be alike before and after.
std::string picture(const Daemon& daemon) {
    std::string all;
    for (const std::string name : {"web", "ended", "waits", "stopped", "mine", "paused"}) {
        json shown = daemon.inspect(name);
        for (json& attempt : shown["attempts"]) attempt.erase("ran_ms");
        for (const std::string key : {"state", "pid", "attempt", "id", "restarts", "attempts"})
            all += name + " " + key + " " + shown.value(key, json()).dump() + "\n";
        const json limits = shown.value("limits", json());
        all += name + " " + limits.dump() + "\n";
    }
    return all;
}

void fail_every_call_of_a_takeover(int error, int step) {
    OrderedFaults faults;
    Daemon daemon(taken_over);
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE(daemon.reaches("ended", "failed"));
    BOOST_REQUIRE(daemon.reaches("waits", "waiting"));
    BOOST_REQUIRE_EQUAL(daemon.ctl({"stop", "stopped"}).status, 0);
    for (const std::string name : {"mine", "paused"})
        BOOST_REQUIRE_EQUAL(daemon.ctl({"run", "-d", "--name", name, "sleep", "1000"}).status, 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"update", "-m", "48m", "mine"}).status, 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"pause", "paused"}).status, 0);
    const std::string before = picture(daemon);
    int nth = 1;
    for (;; nth += step) {
        BOOST_REQUIRE_LT(nth, 2000);
        std::this_thread::sleep_for(
            1100ms);  // what lived so long begins the keeper's back-off anew
        faults.arm(error, nth);
        daemon.crash();
        const bool failed = faults.disarm();
        const std::string what = std::string(std::strerror(error)) + " at call " +
                                 std::to_string(nth) + " (" + faults.last() + ")";
        BOOST_REQUIRE_MESSAGE(eventually([&] { return picture(daemon) == before; }, 5s),
                              what << " has changed\n"
                                   << before << "to\n"
                                   << picture(daemon));
        if (!failed) break;
    }
    BOOST_TEST_MESSAGE("a takeover, " << std::strerror(error) << ": up to call " << nth);
    BOOST_CHECK_GT(nth, 1);
}

int step() { return number_from_environment("MYDOCKER_FAULTS_STEP", 16); }

constexpr int errors[] = {ENOSPC, EIO, EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, EBUSY, ESRCH};

}  // namespace

BOOST_AUTO_TEST_SUITE(faults)

BOOST_AUTO_TEST_CASE(no_space) { fail_every_call(ENOSPC); }
BOOST_AUTO_TEST_CASE(broken_disk) { fail_every_call(EIO); }
BOOST_AUTO_TEST_CASE(no_descriptors) { fail_every_call(EMFILE); }
BOOST_AUTO_TEST_CASE(no_files) { fail_every_call(ENFILE); }
BOOST_AUTO_TEST_CASE(no_memory) { fail_every_call(ENOMEM); }
BOOST_AUTO_TEST_CASE(try_again) { fail_every_call(EAGAIN); }
BOOST_AUTO_TEST_CASE(interrupted) { fail_every_call(EINTR); }
BOOST_AUTO_TEST_CASE(busy) { fail_every_call(EBUSY); }
BOOST_AUTO_TEST_CASE(a_bad_day) {
    for (const int error : errors) fail_every_call_of_a_day(error, step());
}
BOOST_AUTO_TEST_CASE(a_bad_takeover) {
    for (const int error : errors)
        if (error != ESRCH && error != EBUSY)  // nothing is signalled, and nothing removed
            fail_every_call_of_a_takeover(error, step());
}

BOOST_AUTO_TEST_SUITE_END()
