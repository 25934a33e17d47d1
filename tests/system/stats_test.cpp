// Statistics against the kernel's own numbers, and that reading them of many containers delays
// nobody.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

json tick_of(const Daemon& daemon, const std::string& query = "") {
    const Daemon::Reply reply = daemon.api("GET", "/v1/stats" + query);
    BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body);
    return json::parse(reply.body);
}

json container_in(const json& tick, const std::string& name) {
    for (const json& container : tick.at("containers"))
        if (container.at("name") == name) return container;
    return json::object();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stats)

BOOST_AUTO_TEST_CASE(numbers_are_the_kernels) {
    const Daemon daemon(R"(
[container.busy]
command = ["sh", "-c", "while :; do :; done"]
stop_signal = "KILL"
mem_limit = "64m"
pids_limit = 20
cpus = 0.5
[container.fat]
command = ["sh", "-c", "head -c 20000000 /dev/zero | tail -c 20000000 | { read x; sleep 1000; }; sleep 1000"]
stop_signal = "KILL"
[container.idle]
command = ["sleep", "1000"]
autostart = "no"
[container.waiting]
command = ["false"]
[container.waiting.restart]
policy = "always"
delay = "1h"
)");
    BOOST_TEST(daemon.reaches("busy", "running"));
    BOOST_TEST(daemon.reaches("fat", "running"));
    BOOST_TEST(daemon.reaches("waiting", "waiting"));
    const json tick = tick_of(daemon);
    const json busy = container_in(tick, "busy");
    BOOST_TEST(busy.at("state") == "running");
    BOOST_TEST(busy.at("cpu_usec") > 0);
    BOOST_TEST(busy.at("cpu_percent") > 5.0);
    BOOST_TEST(busy.at("cpu_percent") < 100.0);  // half a CPU, with room for a slow clock
    BOOST_TEST(busy.at("memory_max") == 64 << 20);
    BOOST_TEST(busy.at("pids_max") == 20);
    BOOST_TEST(busy.at("pids") == 1);
    BOOST_TEST(busy.at("oom_kills") == 0);
    BOOST_TEST(busy.at("restarts") == 0);
    BOOST_TEST(busy.at("memory").get<long>() > 0);
    BOOST_TEST(busy.at("memory_peak").get<long>() >= busy.at("memory").get<long>());
    BOOST_TEST(busy.at("pressure").at("cpu").is_number());
    BOOST_TEST(eventually([&] {
        return container_in(tick_of(daemon, "?containers=busy"), "busy").at("throttled_usec") > 0;
    }));
    BOOST_TEST(container_in(tick, "fat").at("memory_max").is_null());
    BOOST_TEST(container_in(tick, "fat").at("pids_max").is_null());
    const json idle = container_in(tick, "idle");
    BOOST_TEST(idle.at("state") == "created");
    BOOST_TEST(!idle.contains("cpu_usec"));
    const json waiting = container_in(tick, "waiting");
    BOOST_TEST(waiting.at("next_start_ms").get<long>() > 0);
    BOOST_TEST(!waiting.contains("memory"));
}

BOOST_AUTO_TEST_CASE(only_those_that_are_asked_for) {
    const Daemon daemon(
        "[container.a]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"KILL\"\n"
        "[container.b]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"KILL\"\n");
    BOOST_TEST(daemon.reaches("a", "running"));
    BOOST_TEST(tick_of(daemon).at("containers").size() == 2u);
    BOOST_TEST(tick_of(daemon, "?containers=b").at("containers").size() == 1u);
    BOOST_TEST(tick_of(daemon, "?containers=a,b").at("containers").size() == 2u);
    BOOST_TEST(daemon.api("GET", "/v1/stats?containers=a,nobody").status == 404);
    BOOST_TEST(daemon.api("GET", "/v1/stats?interval=0").status == 400);
    BOOST_TEST(daemon.api("GET", "/v1/stats?interval=1e9").status == 400);
    BOOST_TEST(daemon.api("GET", "/v1/stats?interval=fast").status == 400);
}

BOOST_AUTO_TEST_CASE(a_stream_goes_on_and_ends_with_its_containers) {
    const Daemon daemon;
    BOOST_TEST(daemon.ctl({"run", "-d", "--name", "a", "sleep", "1000"}).status == 0);
    Process stats(daemon.ctl_command({"stats", "--interval", "0.2", "--format", "json", "a"}));
    BOOST_TEST(eventually([&] { return json_lines(stats.out()).size() >= 3; }));
    const auto ticks = json_lines(stats.out());
    BOOST_TEST(ticks[0].at("time") < ticks[1].at("time"));
    BOOST_TEST(ticks[1].at("cpu_percent").is_number());
    BOOST_TEST(ticks[1].at("cpu_perc").get<std::string>().ends_with("%"));
    BOOST_TEST(daemon.ctl({"rm", "-f", "a"}).status == 0);
    BOOST_TEST(stats.wait().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_table_for_people_and_a_template_for_programs) {
    const Daemon daemon(
        "[container.a]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"KILL\"\nmem_limit = "
        "\"32m\"\n[container.idle]\ncommand = [\"true\"]\nautostart = \"no\"\n");
    BOOST_TEST(daemon.reaches("a", "running"));
    const Result table = daemon.ctl({"stats", "--no-stream"});
    BOOST_TEST(table.status == 0);
    BOOST_TEST(contains(table.out, "CPU %"));
    BOOST_TEST(contains(table.out, " / 32MiB"));
    BOOST_TEST(!contains(table.out, "idle"));
    BOOST_TEST(contains(daemon.ctl({"stats", "--no-stream", "-a"}).out, "idle"));
    const Result line =
        daemon.ctl({"stats", "--no-stream", "-a", "--format", "{{.Name}} {{.MemPerc}} {{.Pids}}"});
    BOOST_TEST(contains(line.out, "idle - \n"));
    BOOST_TEST(contains(line.out, "% 1\n"));
    BOOST_TEST(daemon.ctl({"stats", "--no-stream", "nobody"}).status == 1);
}

BOOST_AUTO_TEST_SUITE_END()
