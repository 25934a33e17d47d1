// What every key of a container and of [daemon] takes when it changes, read through the very parser
// that host files go through, and golden plans for whole files.
#include "supervisor/reload_plan.hpp"

#include <boost/test/unit_test.hpp>
#include <sstream>

#include "config/load.hpp"

using namespace mydocker;
using namespace mydocker::supervisor;
using config::Container;
using config::Daemon;
using config::Host;

namespace {

Host read(const std::string& toml) {
    const config::Loaded loaded = config::load_text("version = 1\n" + toml, "test.toml");
    for (const config::Problem& problem : loaded.problems)
        BOOST_TEST(!problem.fatal, to_string(problem));
    return loaded.host;
}

Container container(const std::string& keys) {
    return read("[container.web]\n" + keys).containers.at("web");
}

std::string spelled(const std::vector<Change>& plan) {
    std::ostringstream text;
    for (const Change& change : plan) {
        text << '\n' << name(change.kind) << ' ' << change.container << " [";
        for (const std::string& key : change.keys)
            text << (key == change.keys[0] ? "" : " ") << key;
        text << "] " << change.reason;
    }
    return text.str();
}

std::string plan(const std::string& before, const std::string& after) {
    const Host old = read(before);
    return spelled(plan_reload(old.daemon, old.containers, read(after)));
}

struct Golden {
    std::string key;
    std::string value;  // unlike its default and the base below
    ChangeKind kind;
};
using enum ChangeKind;

const std::vector<Golden> golden_container = {
    {"rootfs", "'/srv/web'", recreate},
    {"command", "['other']", recreate},
    {"environment", "{ A = 'b' }", recreate},
    {"working_dir", "'/tmp'", recreate},
    {"user", "'1000:1000'", recreate},
    {"hostname", "'www'", recreate},
    {"volumes", "['/a:/b:ro']", recreate},
    {"tmpfs", "['/run:size=1m']", recreate},
    {"read_only", "true", recreate},
    {"network", "'host'", recreate},
    {"cap_add", "['NET_ADMIN']", recreate},
    {"cap_drop", "['ALL']", recreate},
    {"privileged", "true", recreate},
    {"init", "true", recreate},
    {"tty", "true", recreate},
    {"stdin_open", "true", recreate},
    {"ulimits", "{ nofile = '1024:2048' }", recreate},
    {"oom_score_adj", "5", recreate},
    {"shm_size", "'1m'", recreate},
    {"mem_limit", "'101m'", live},
    {"mem_high", "'90m'", live},
    {"memswap_limit", "'201m'", live},
    {"cpus", "0.5", live},
    {"cpu_shares", "512", live},
    {"cpuset", "'0'", live},
    {"pids_limit", "64", live},
    {"oom_policy", "'kill'", live},
    {"stop_signal", "'SIGINT'", live},
    {"stop_grace_period", "'60s'", live},
    {"start_timeout", "'5s'", next},
    {"autostart", "'no'", next},
    {"restart.policy", "'on-failure'", live},
    {"restart.on", "['oom']", live},
    {"restart.delay", "'1s'", live},
    {"restart.multiplier", "3.0", live},
    {"restart.max_delay", "'2m'", live},
    {"restart.jitter", "0.2", live},
    {"restart.reset_after", "'20s'", live},
    {"restart.attempts", "5", live},
    {"restart.interval", "'10m'", live},
    {"restart.on_limit", "'delay'", live},
    {"restart.success_exit_codes", "[0, 7]", live},
    {"restart.prevent_on", "[78]", live},
    {"restart.force_on", "['SIGHUP']", live},
    {"restart.on_failure", "['/bin/page']", live},
    {"restart.prearm", "true", next},
    {"logging.max_size", "'1m'", live},
    {"logging.max_files", "5", live},
};

const std::vector<Golden> golden_daemon = {
    {"socket", "'/tmp/s'", refuse},     {"data_root", "'/tmp/d'", refuse},
    {"state_dir", "'/tmp/r'", refuse},  {"cgroup_parent", "'/a'", refuse},
    {"limits", "'best-effort'", live},  {"max_concurrent_starts", "3", live},
    {"shutdown_timeout", "'1s'", live},
};

// The base without the key's own line, so that TOML sees no key twice, and the key's new value.
std::string base_with(const Golden& golden) {
    std::string keys;
    for (const auto& [key, value] : {std::pair{"command", "['sleep', '9']"},
                                     {"mem_limit", "'100m'"},
                                     {"memswap_limit", "'200m'"},
                                     {"restart.policy", "'always'"}})
        if (key != golden.key) keys += std::string{key} + " = " + value + "\n";
    return golden.key.empty() ? keys : keys + golden.key + " = " + golden.value + "\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reload_plan)

BOOST_AUTO_TEST_CASE(every_key_of_a_container) {
    const Container base = container(base_with({}));
    BOOST_TEST(compare(base, base).empty());
    for (const Golden& golden : golden_container) {
        const auto changes = compare(base, container(base_with(golden)));
        BOOST_TEST_CONTEXT(golden.key) {
            BOOST_TEST_REQUIRE(changes.size() == 1U);
            BOOST_TEST(changes[0].key == golden.key);
            BOOST_TEST(name(changes[0].kind) == name(golden.kind));
        }
    }
}

// All at once: no key is missed, none is named twice, and they come in the manual's order.
BOOST_AUTO_TEST_CASE(all_keys_of_a_container_at_once) {
    std::string keys;
    std::vector<std::string> wanted;
    for (const Golden& golden : golden_container) {
        keys += golden.key + " = " + golden.value + "\n";
        wanted.push_back(golden.key);
    }
    std::vector<std::string> found;
    for (const KeyChange& change : compare(container(base_with({})), container(keys)))
        found.push_back(change.key);
    BOOST_CHECK_EQUAL_COLLECTIONS(found.begin(), found.end(), wanted.begin(), wanted.end());
}

BOOST_AUTO_TEST_CASE(a_limit_taken_away_is_a_change_too) {
    const auto changes = compare(container("command = ['a']\ncpus = 1.0\ncpuset = '0'"),
                                 container("command = ['a']"));
    BOOST_TEST_REQUIRE(changes.size() == 2U);
    BOOST_TEST(changes[0].key == "cpus");
    BOOST_TEST(changes[1].key == "cpuset");
}

BOOST_AUTO_TEST_CASE(every_key_of_the_daemon) {
    for (const Golden& golden : golden_daemon) BOOST_TEST_CONTEXT(golden.key) {
            const Host fresh = read("[daemon]\n" + golden.key + " = " + golden.value);
            const auto changes = plan_reload(Daemon{}, {}, fresh);
            BOOST_TEST_REQUIRE(changes.size() == 1U);
            BOOST_TEST(changes[0].container == "");
            BOOST_TEST(changes[0].keys == std::vector{golden.key},
                       boost::test_tools::per_element());
            BOOST_TEST(name(changes[0].kind) == name(golden.kind));
        }
}

BOOST_AUTO_TEST_CASE(the_same_file_changes_nothing) {
    const std::string file = "[container.a]\ncommand = ['a']\n[container.b]\ncommand = ['b']\n";
    BOOST_TEST(plan(file, file) == "");
    BOOST_TEST(plan("", "") == "");
}

BOOST_AUTO_TEST_CASE(a_whole_file) {
    const std::string before = R"(
        [daemon]
        socket = "/run/a.sock"
        [container.gone]
        command = ["a"]
        [container.kept]
        command = ["a"]
        [container.later]
        command = ["a"]
        [container.limits]
        command = ["a"]
        mem_limit = "50m"
        [container.made-anew]
        command = ["a"]
    )";
    const std::string after = R"(
        [daemon]
        socket = "/run/b.sock"
        max_concurrent_starts = 2
        [container.fresh]
        command = ["a"]
        [container.kept]
        command = ["a"]
        [container.later]
        command = ["a"]
        autostart = "no"
        start_timeout = "1s"
        [container.limits]
        command = ["a"]
        mem_limit = "60m"
        autostart = "no"
        restart = "always"
        [container.made-anew]
        command = ["b"]
        user = "1"
        mem_limit = "60m"
        autostart = "no"
    )";
    BOOST_TEST(plan(before, after) == R"(
live  [max_concurrent_starts] changed now: max_concurrent_starts
refuse  [socket] not changed, restart mydockerd to change it: socket
add fresh [] new in the file
remove gone [] no longer in the file: stopped and removed
next later [start_timeout autostart] from the next start on: start_timeout, autostart
live limits [mem_limit autostart restart.policy] changed without touching the workload: mem_limit, restart.policy; from the next start on: autostart
recreate made-anew [command user mem_limit autostart] stopped and started anew: command, user changed)");
}

BOOST_AUTO_TEST_CASE(from_and_to_nothing) {
    const std::string file = "[container.b]\ncommand = ['b']\n[container.a]\ncommand = ['a']\n";
    BOOST_TEST(plan("", file) == "\nadd a [] new in the file\nadd b [] new in the file");
    BOOST_TEST(plan(file, "") ==
               "\nremove a [] no longer in the file: stopped and removed"
               "\nremove b [] no longer in the file: stopped and removed");
}

BOOST_AUTO_TEST_SUITE_END()
