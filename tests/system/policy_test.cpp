// Restart policies from the workload's end to its next first instruction, or to the state `failed`
// with its reason.
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <set>

#include "tests/system/harness.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

namespace {

std::string container(const std::string& name, const std::string& script,
                      const std::string& keys = "") {
    return "[container." + name + "]\ncommand = [\"/bin/sh\", \"-c\", " + toml_string(script) +
           "]\n" + keys + "\n";
}

json verdict(const json& shown, std::size_t attempt) {
    return shown.at("attempts").at(attempt).at("verdict");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(policy)

BOOST_AUTO_TEST_CASE(a_crash_loop_is_backed_off_and_given_up) {
    const Daemon daemon("version = 1\n" + container("web", "exit 3", R"(
restart = { policy = "on-failure", delay = "200ms", multiplier = 2, max_delay = "500ms", jitter = 0, attempts = 4 }
)"));
    BOOST_REQUIRE(daemon.reaches("web", "failed"));
    const json shown = daemon.inspect("web");
    const json& attempts = shown.at("attempts");
    BOOST_REQUIRE_EQUAL(attempts.size(), 5U);
    const std::vector<int> delays{200, 400, 500, 500};
    for (std::size_t i = 0; i < delays.size(); ++i) {
        BOOST_CHECK_EQUAL(verdict(shown, i).at("delay_ms"), delays[i]);
        BOOST_CHECK_EQUAL(attempts[i].at("exit_code"), 3);
        BOOST_CHECK_EQUAL(attempts[i].at("cause"), "exit");
        const auto gap =
            since_epoch(attempts[i + 1].at("started")) - since_epoch(attempts[i].at("finished"));
        // The daemon's two clocks are read a moment apart.
        BOOST_CHECK_GE(gap / 1ms, delays[i] - 5);
        BOOST_CHECK_LE(gap / 1ms, delays[i] + 20'000);
    }
    BOOST_CHECK_EQUAL(verdict(shown, 0).at("reason"),
                      "exited with code 3; restart 1 of 4 in 200ms (on-failure)");
    BOOST_CHECK_EQUAL(verdict(shown, 4).at("rule"), "window");
    BOOST_CHECK_EQUAL(shown.at("reason"),
                      "exited with code 3; 5th failure in a row, attempts = 4: given up");
    BOOST_CHECK_EQUAL(shown.at("restarts"), 4);
    BOOST_CHECK(shown.at("next_start_ms").is_null());
    const Result explained = daemon.ctl({"explain", "web"});
    BOOST_CHECK(contains(explained.out, "5th failure in a row"));
    BOOST_CHECK(contains(daemon.log(), "web: exited with code 3; 5th failure in a row"));
}

BOOST_AUTO_TEST_CASE(codes_and_causes_that_the_policy_names) {
    const Daemon daemon(
        "version = 1\n" + container("clean", "exit 0", "restart = \"on-failure\"") +
        container("success", "exit 42",
                  "restart = { policy = \"on-failure\", success_exit_codes = [0, 42] }") +
        container("prevented", "exit 78", "restart = { policy = \"always\", prevent_on = [78] }") +
        container("forced", "exit 75",
                  "restart = { policy = \"no\", force_on = [75], delay = \"1ms\", attempts = 2 }") +
        container("never", "exit 1", "restart = \"no\"") +
        container("onsuccess", "exit 0",
                  "restart = { policy = \"on-success\", delay = \"1ms\", attempts = 1 }") +
        container("unlisted", "exit 1",
                  "restart = { policy = \"on-failure\", on = [\"signal\"] }") +
        container("killed", "exec sleep 1000",
                  "restart = { policy = \"always\", prevent_on = [\"SIGKILL\"] }"));
    struct Row {
        const char* name;
        const char* state;
        std::size_t attempts;
        const char* cause;
        const char* rule;
        const char* reason;
    };
    BOOST_REQUIRE(daemon.reaches("killed", "running"));
    BOOST_CHECK_EQUAL(daemon.ctl({"kill", "killed"}).status, 0);
    for (const Row& row : {
             Row{"clean", "exited", 1, "clean", "success",
                 "exited with code 0; not restarted (a success; policy on-failure)"},
             Row{"success", "exited", 1, "clean", "success",
                 "exited with code 42; not restarted (a success; policy on-failure)"},
             Row{"prevented", "failed", 1, "exit", "prevent_on",
                 "exited with code 78; not restarted (prevent_on lists it)"},
             Row{"forced", "failed", 3, "exit", "window",
                 "exited with code 75; 3rd failure in a row, attempts = 2: given up"},
             Row{"never", "failed", 1, "exit", "policy",
                 "exited with code 1; not restarted (policy no)"},
             Row{"onsuccess", "failed", 2, "clean", "window",
                 "exited with code 0; 2nd end in a row, attempts = 1: given up"},
             Row{"unlisted", "failed", 1, "exit", "policy",
                 "exited with code 1; not restarted (`on` does not list exit)"},
             Row{"killed", "failed", 1, "signal", "prevent_on",
                 "killed by SIGKILL; not restarted (prevent_on lists it)"},
         }) {
        BOOST_TEST_CONTEXT(row.name) {
            BOOST_CHECK(daemon.reaches(row.name, row.state));
            const json shown = daemon.inspect(row.name);
            BOOST_CHECK_EQUAL(shown.at("attempts").size(), row.attempts);
            BOOST_CHECK_EQUAL(shown.at("cause"), row.cause);
            BOOST_CHECK_EQUAL(shown.at("reason"), row.reason);
            BOOST_CHECK_EQUAL(verdict(shown, row.attempts - 1).at("rule"), row.rule);
        }
    }
    BOOST_CHECK_EQUAL(verdict(daemon.inspect("forced"), 0).at("rule"), "force_on");
}

BOOST_AUTO_TEST_CASE(always_keeps_going_until_it_is_stopped) {
    const Daemon daemon(
        "version = 1\n" +
        container("web", "exit 0", "restart = { policy = \"always\", delay = \"0s\" }"));
    BOOST_REQUIRE(eventually([&] { return daemon.inspect("web").value("restarts", 0) >= 20; }));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
    const json stopped = daemon.inspect("web");
    BOOST_CHECK_EQUAL(stopped.at("state"), "exited");
    BOOST_CHECK_EQUAL(stopped.at("desired"), "down");
    BOOST_CHECK(!eventually([&] { return daemon.inspect("web") != stopped; }, 500ms));
}

BOOST_AUTO_TEST_CASE(a_full_window_is_waited_out_with_on_limit_delay) {
    const Daemon daemon("version = 1\n" + container("web", "exit 1", R"(
restart = { policy = "on-failure", delay = "1ms", jitter = 0, attempts = 2, interval = "4s", on_limit = "delay" }
)"));
    BOOST_REQUIRE(eventually([&] {
        const json shown = daemon.inspect("web");
        return shown.value("attempt", 0) == 3 && shown.value("state", "") == "waiting";
    }));
    const json waiting = daemon.inspect("web");
    BOOST_CHECK(contains(waiting.at("reason"), "3rd failure within 4s, attempts = 2: restart in"));
    BOOST_CHECK_GT(waiting.at("next_start_ms").get<int>(), 0);
    BOOST_CHECK_LE(waiting.at("next_start_ms").get<int>(), 4000);
    BOOST_REQUIRE(eventually([&] { return daemon.inspect("web").value("attempt", 0) >= 4; }));
    const json shown = daemon.inspect("web");
    // The fourth begins when the first restart, granted at the first attempt's end, is 4 s old.
    const auto wait = since_epoch(shown.at("attempts")[3].at("started")) -
                      since_epoch(shown.at("attempts")[0].at("finished"));
    BOOST_CHECK_GE(wait / 1ms, 3990);
    BOOST_CHECK_LE(wait / 1ms, 30'000);
}

BOOST_AUTO_TEST_CASE(on_limit_shutdown_ends_mydockerd_in_good_order) {
    Daemon daemon("version = 1\n" +
                  container("other", "trap 'exit 0' TERM; while :; do sleep 0.05; done") +
                  container("vital", "sleep 1; exit 9", R"(
restart = { policy = "on-failure", delay = "1ms", attempts = 1, on_limit = "shutdown" }
)"));
    const auto cgroup = daemon.cgroup();
    const auto status = daemon.ended(30s);
    BOOST_REQUIRE(status.has_value());
    BOOST_CHECK_EQUAL(*status, 0);
    BOOST_CHECK(contains(daemon.log(),
                         "vital: exited with code 9; 2nd failure in a row, attempts = 1: given "
                         "up, and mydockerd shuts down"));
    BOOST_CHECK(contains(daemon.log(), "other: stopped by the operator; exited with code 0"));
    BOOST_CHECK(!std::filesystem::exists(cgroup));
}

BOOST_AUTO_TEST_CASE(a_failure_runs_its_hook_once) {
    const Directory directory;
    const auto hook = [&](const std::string& name) {
        return "[container." + name + ".restart]\npolicy = \"on-failure\"\nattempts = 1\n" +
               "delay = \"1ms\"\non_failure = [\"/bin/sh\", \"-c\", " +
               toml_string("sleep 0.2; ulimit -n > " + (directory / "files").string() +
                           "; cat /proc/self/oom_score_adj > " + (directory / "oom").string() +
                           "; echo \"$1|$2\" >> " + (directory / name).string()) +
               ", \"hook\", \"{name}\", \"{reason}\"]\n";
    };
    const Daemon daemon("version = 1\n" + container("bad", "exit 4") + hook("bad") +
                        container("good", "exit 0") + hook("good") +
                        container("stopped", "exec sleep 1000", "stop_grace_period = \"0s\"") +
                        hook("stopped"));
    BOOST_REQUIRE(daemon.reaches("bad", "failed"));
    BOOST_REQUIRE(daemon.reaches("good", "exited"));
    BOOST_REQUIRE(daemon.reaches("stopped", "running"));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "stopped"}).status, 0);
    const std::string expected =
        "bad|exited with code 4; 2nd failure in a row, attempts = 1: given up\n";
    BOOST_CHECK(eventually([&] { return read_file(directory / "bad") == expected; }));
    // It is a program like any other, not a part of mydockerd.
    BOOST_CHECK_EQUAL(read_file(directory / "files"), "1024\n");
    BOOST_CHECK_EQUAL(read_file(directory / "oom"), "0\n");
    BOOST_CHECK(!std::filesystem::exists(directory / "good"));
    BOOST_CHECK(!std::filesystem::exists(directory / "stopped"));
}

BOOST_AUTO_TEST_CASE(a_prearmed_restart_has_its_init_ready_and_has_run_nothing) {
    const Directory directory;
    const Daemon daemon(
        "version = 1\n" +
        container("web", "echo $$ >> /scratch/ran; exit 1",
                  "volumes = [\"" + directory.path().string() + ":/scratch\"]\n" +
                      "restart = { policy = \"on-failure\", delay = \"3s\", jitter = 0, "
                      "attempts = 1, prearm = true }"));
    BOOST_REQUIRE(eventually([&] {
        const std::string told = daemon.api("GET", "/v1/containers/web/explain").body;
        return contains(told, "its init stands ready (prearm)");
    }));
    const json armed = daemon.inspect("web");
    BOOST_CHECK_EQUAL(armed.at("state"), "waiting");
    BOOST_CHECK_EQUAL(armed.at("attempt"), 2);
    const int pid = armed.at("pid");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "cgroup.procs"), std::to_string(pid));
    BOOST_CHECK_EQUAL(lines_of(read_file(directory / "ran")).size(), 1U);
    BOOST_REQUIRE(daemon.reaches("web", "failed"));
    BOOST_CHECK_EQUAL(lines_of(read_file(directory / "ran")).size(), 2U);
    const json shown = daemon.inspect("web");
    BOOST_CHECK_EQUAL(shown.at("attempts").size(), 2U);
    BOOST_CHECK_EQUAL(shown.at("attempts")[1].at("pid"), pid);
    const auto delay = since_epoch(shown.at("attempts")[1].at("ready")) -
                       since_epoch(shown.at("attempts")[0].at("finished"));
    BOOST_CHECK_GE(delay / 1ms, 2990);
}

BOOST_AUTO_TEST_CASE(a_start_that_takes_too_long_is_a_cause_of_its_own) {
    const BlockedProgram program;
    const Daemon daemon("version = 1\n[container.slow]\n" + program.keys() + R"(
start_timeout = "500ms"
restart = { policy = "on-abnormal", delay = "1ms", attempts = 1 }
)");
    BOOST_REQUIRE(daemon.reaches("slow", "failed"));
    const json shown = daemon.inspect("slow");
    BOOST_CHECK_EQUAL(shown.at("attempts").size(), 2U);
    BOOST_CHECK_EQUAL(shown.at("cause"), "start-timeout");
    BOOST_CHECK(shown.at("exit_code").is_null());
    BOOST_CHECK_EQUAL(shown.at("attempts")[0].at("ready"), "");
    const std::string reason = shown.at("reason");
    BOOST_CHECK_MESSAGE(reason.starts_with("did not start in time"), reason);
    BOOST_CHECK_MESSAGE(contains(reason, "500ms"), reason);
}

BOOST_AUTO_TEST_CASE(a_start_error_is_retried_until_it_is_mended) {
    const Directory directory;
    const Daemon daemon(
        "version = 1\n[container.late]\ncommand = [\"/late/program\"]\n"
        "stop_grace_period = \"0s\"\n" +
        std::string("volumes = [\"") + directory.path().string() + ":/late\"]\n" +
        "restart = { policy = \"on-failure\", on = [\"start-error\"], delay = \"50ms\", "
        "multiplier = 1 }");
    BOOST_REQUIRE(eventually([&] { return daemon.inspect("late").value("restarts", 0) >= 2; }));
    const json failing = daemon.inspect("late");
    BOOST_CHECK_EQUAL(failing.at("attempts")[0].at("cause"), "start-error");
    BOOST_CHECK_EQUAL(failing.at("attempts")[0].at("error"),
                      "execute /late/program: No such file or directory");
    write_file(directory / "program.new", "#!/bin/sh\nexec sleep 1000\n");
    std::filesystem::permissions(directory / "program.new", std::filesystem::perms::all);
    std::filesystem::rename(directory / "program.new", directory / "program");
    BOOST_CHECK(daemon.reaches("late", "running"));
}

// What a machine looks like after its database came back: everything starts at once.
BOOST_AUTO_TEST_CASE(a_restart_storm_goes_through_the_gate) {
    constexpr std::size_t width = 3;
    constexpr int count = 50;
    std::string toml =
        "version = 1\n[daemon]\nmax_concurrent_starts = " + std::to_string(width) + "\n";
    for (int i = 0; i < count; ++i)
        toml += "[container.c" + std::to_string(i) + R"(]
command = ["sleep", "1000"]
stop_grace_period = "0s"
restart = { policy = "always", delay = "100ms", jitter = 0 }
)";
    const Daemon daemon(toml);
    const auto all_run = [&](int attempt) {
        const auto all = list(daemon);
        return all.size() == count && std::all_of(all.begin(), all.end(), [&](const json& one) {
                   return one.at("state") == "running" && one.at("attempt") == attempt;
               });
    };
    BOOST_REQUIRE(eventually([&] { return all_run(1); }, 60s));
    for (const json& one : list(daemon)) ::kill(one.at("pid").get<pid_t>(), SIGKILL);
    BOOST_REQUIRE(eventually([&] { return all_run(2); }, 60s));

    std::set<std::string> starting;
    std::size_t most = 0;
    bool queued = false;
    for (const json& event : events(daemon)) {
        if (event.at("type") != "state") continue;
        if (event.at("state") == "starting")
            starting.insert(event.at("container"));
        else
            starting.erase(event.at("container"));
        most = std::max(most, starting.size());
        queued |= event.at("state") == "queued";
    }
    BOOST_CHECK_EQUAL(most, width);
    BOOST_CHECK(queued);
}

BOOST_AUTO_TEST_SUITE_END()
