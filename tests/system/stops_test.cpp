// Stopping always answers, whatever the container does and however often mydockerd is killed
// meanwhile; what was acknowledged stays so.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;

namespace {

constexpr auto host = R"(version = 1
[container.deaf]
command = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
[container.bomb]
command = ["sh", "-c", "while :; do sleep 1000 & done 2>/dev/null"]
pids_limit = 50
[container.paused]
command = ["sleep", "1000"]
[container.starting]
command = ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]
[container.waiting]
command = ["false"]
[container.waiting.restart]
policy = "always"
delay = "10m"
max_delay = "10m"
)";
constexpr const char* names[] = {"deaf", "bomb", "paused", "starting", "waiting"};

bool is_down(const std::string& state) { return state == "exited" || state == "failed"; }

}  // namespace

BOOST_AUTO_TEST_SUITE(stops)

BOOST_AUTO_TEST_CASE(every_stop_is_answered_while_mydockerd_is_killed) {
    Daemon daemon(host);
    const auto cgroup = daemon.cgroup();
    std::mt19937 random{1};
    int kills = 0, stopped = 0, asked_again = 0;
    for (int round = 0; round < 3; ++round) {
        for (const std::string name : names) {
            BOOST_REQUIRE(eventually([&] {
                const std::string state = daemon.state(name);
                return daemon.ctl({"start", name}).status == 0 ||
                       (!state.empty() && !is_down(state));
            }));
            if (name == "waiting") BOOST_CHECK(daemon.reaches(name, "waiting"));
            if (name == "paused") BOOST_CHECK_EQUAL(daemon.ctl({"pause", name}).status, 0);
            const auto delay = std::chrono::milliseconds(random() % 400);
            std::thread killer([&daemon, pid = daemon.pid(), delay] {
                std::this_thread::sleep_for(delay);
                if (pid > 0 && daemon.pid() == pid) ::kill(pid, SIGKILL);
            });
            std::thread second([&] { daemon.ctl({"stop", "-t", "1", name}, 30s); });
            Result result;
            for (int tries = 0; tries < 10; ++tries) {
                result = daemon.ctl({"stop", "-t", "1", name}, 30s);
                BOOST_CHECK_NE(result.status, 124);  // it hangs
                if (result.status == 0) break;
                ++asked_again;
                eventually([&] { return !daemon.state(name).empty(); });
            }
            killer.join();
            second.join();
            ++kills;
            BOOST_CHECK_MESSAGE(result.status == 0, name << ": " << result.err);
            if (result.status == 0) ++stopped;
            // Acknowledged: the next mydockerd starts it no more.
            BOOST_REQUIRE(eventually([&] { return daemon.pid() > 0; }));
            std::this_thread::sleep_for(1100ms);  // what lived so long begins the back-off anew
            daemon.crash();
            BOOST_CHECK_MESSAGE(is_down(daemon.state(name)),
                                name << " is " << daemon.state(name) << " after its stop");
        }
    }
    BOOST_TEST_MESSAGE("stops: " << kills << " kills, " << stopped << " stops acknowledged, "
                                 << asked_again << " asked again");
    BOOST_CHECK(eventually([&] { return cgroups_below(cgroup).empty(); }));
}

BOOST_AUTO_TEST_SUITE_END()
