// The command line of mydocker-ctl: which words are options, which are the workload's, and what
// `run` sends for them.
#include <boost/test/unit_test.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/ctl/error.hpp"
#include "tools/ctl/parse.hpp"
#include "tools/ctl/run_options.hpp"

using namespace mydocker::ctl;
using Words = std::vector<std::string>;

namespace {

Words split(const std::string& line) {
    std::istringstream stream(line);
    return {std::istream_iterator<std::string>(stream), {}};
}

Surroundings test_surroundings() {
    return {[](const std::string& name) -> std::optional<std::string> {
                if (name == "HOME") return "/root";
                return std::nullopt;
            },
            [](const std::string& path) -> std::string {
                if (path == "env") return "# comment\nA=file\n\n  B = x \r\nHOME\nNOWHERE\n";
                throw UsageError("--env-file: cannot read " + path);
            },
            "/home/user"};
}

nlohmann::json request_of(const Words& words) {
    return create_request(parse_command_line(words, all_commands()).arguments, test_surroundings());
}

// The command line (words have no blanks) and the container it must describe.
void check_container(const std::string& options, const std::string& expected) {
    BOOST_TEST_CONTEXT(options) {
        auto container = request_of(split("run " + options + " true"))["container"];
        BOOST_TEST(container["command"].dump() == R"(["true"])");
        container.erase("command");
        BOOST_TEST(container.dump() == expected);
    }
}

std::string usage_error(const Words& words) {
    try {
        request_of(words);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "(no error)";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_parse)

BOOST_AUTO_TEST_CASE(the_books_line_to_the_letter) {
    const auto request = request_of(split(
        "run -ti --cpushare 8000 --cpuset 0-1 -m 50m /usr/bin/stress --vm-bytes 30m --vm-keep "
        "--vm 1"));
    BOOST_TEST(request.dump() ==
               R"({"container":{"command":["/usr/bin/stress","--vm-bytes","30m","--vm-keep",)"
               R"("--vm","1"],"cpu_shares":8000,"cpuset":"0-1","mem_limit":"50m",)"
               R"("stdin_open":true,"tty":true}})");
}

BOOST_AUTO_TEST_CASE(single_dash_spellings) {
    const std::string expected =
        R"({"cpu_shares":8000,"cpus":2.0,"cpuset":"0-1","mem_limit":"50m"})";
    check_container("-mem 50m -cpu 2 -cpuset 0-1 -cpushare 8000", expected);
    check_container("-mem=50m -cpu=2 -cpuset=0-1 -cpushare=8000", expected);
    check_container("--memory 50m --cpu 2 --cpuset-cpus 0-1 --cpu-shares 8000", expected);
    check_container("-d -mem 50m --cpus=2 --cpuset=0-1 --cpushare=8000", expected);
}

BOOST_AUTO_TEST_CASE(options_end_at_the_command) {
    const std::map<std::string, Words> cases = {
        {"run sh -mem 5 -c x", {"sh", "-mem", "5", "-c", "x"}},
        {"run -d sh -d --name y", {"sh", "-d", "--name", "y"}},
        {"run -m 50m -- -mem", {"-mem"}},
        {"run -- -- x", {"--", "x"}},
        {"run sh -- x", {"sh", "--", "x"}},
        {"run -e -m sh", {"sh"}},  // -m is --env's value
        {"run -dm 50m sh -m", {"sh", "-m"}},
        {"run -m50m sh", {"sh"}},
        {"run --name=x --rm stress --help", {"stress", "--help"}},
        {"-q run -w /x sh -H y", {"sh", "-H", "y"}},
        {"-H run run -q run", {"run"}},
    };
    for (const auto& [line, command] : cases) {
        BOOST_TEST_CONTEXT(line) {
            const Parsed parsed = parse_command_line(split(line), all_commands());
            BOOST_TEST(parsed.arguments.operands == command, boost::test_tools::per_element());
        }
    }
    const auto request = request_of({"run", "sh", "-c", "echo $@", ""});
    BOOST_TEST(request.dump() == R"({"container":{"command":["sh","-c","echo $@",""]}})");
}

BOOST_AUTO_TEST_CASE(every_option_has_its_key) {
    check_container("--rootfs img/../root/", R"({"rootfs":"/home/user/root"})");
    check_container("--rootfs /", R"({"rootfs":"/"})");
    check_container("--read-only --init --privileged",
                    R"({"init":true,"privileged":true,"read_only":true})");
    check_container("-h h -w /w -u 1:2 --network host",
                    R"({"hostname":"h","network":"host","user":"1:2","working_dir":"/w"})");
    check_container("--net none", R"({"network":"none"})");
    check_container("-v /a:/b -v ./c:/d:ro --volume ../e:/f",
                    R"({"volumes":["/a:/b","/home/user/c:/d:ro","/home/e:/f"]})");
    check_container("--tmpfs /tmp:size=1m --tmpfs /run", R"({"tmpfs":["/tmp:size=1m","/run"]})");
    check_container("--cap-drop ALL --cap-add CHOWN --cap-add KILL",
                    R"({"cap_add":["CHOWN","KILL"],"cap_drop":["ALL"]})");
    check_container("--memory-high 40m --memory-swap 1g --shm-size 8m",
                    R"({"mem_high":"40m","memswap_limit":"1g","shm_size":"8m"})");
    check_container("--memory-swap -1 --pids-limit -1", R"({"memswap_limit":-1,"pids_limit":-1})");
    check_container("--oom-policy kill --oom-score-adj -500",
                    R"({"oom_policy":"kill","oom_score_adj":-500})");
    check_container("--ulimit nofile=1024:2048 --ulimit core=0",
                    R"({"ulimits":{"core":"0","nofile":"1024:2048"}})");
    check_container("--stop-signal INT --stop-timeout 90 --start-timeout 5s --autostart no",
                    R"({"autostart":"no","start_timeout":"5s","stop_grace_period":"90s",)"
                    R"("stop_signal":"INT"})");
    check_container("--stop-timeout 1m30s", R"({"stop_grace_period":"1m30s"})");
    check_container("--log-opt max-size=1m --log-opt max-file=5",
                    R"({"logging":{"max_files":5,"max_size":"1m"}})");
    check_container("-ti", R"({"stdin_open":true,"tty":true})");
    check_container("-it", R"({"stdin_open":true,"tty":true})");
    check_container("-i --tty=false --init=0 --read-only=true",
                    R"({"read_only":true,"stdin_open":true})");
    check_container("-m 1m -m 2m", R"({"mem_limit":"2m"})");
}

BOOST_AUTO_TEST_CASE(restart_options) {
    check_container("--restart always", R"({"restart":{"policy":"always"}})");
    check_container("--restart on-failure:5",
                    R"({"restart":{"attempts":5,"policy":"on-failure"}})");
    check_container(
        "--restart on-failure:5 --restart-attempts 7 --restart-on exit,oom --restart-on signal "
        "--restart-delay 1s --restart-max-delay 1m --restart-multiplier 1.5 --restart-jitter 0 "
        "--restart-reset-after 10s --restart-interval 5m --restart-on-limit delay --prearm",
        R"({"restart":{"attempts":7,"delay":"1s","interval":"5m","jitter":0.0,"max_delay":"1m",)"
        R"("multiplier":1.5,"on":["exit","oom","signal"],"on_limit":"delay","policy":)"
        R"("on-failure","prearm":true,"reset_after":"10s"}})");
}

BOOST_AUTO_TEST_CASE(environment) {
    check_container("-e A=1 -e HOME -e NOWHERE -e C=x=y -e D=",
                    R"({"environment":{"A":"1","C":"x=y","D":"","HOME":"/root"}})");
    // The command line wins over the file, wherever it stands.
    check_container("-e A=line --env-file env",
                    R"({"environment":{"A":"line","B ":" x ","HOME":"/root"}})");
    check_container("-e NOWHERE", R"({"environment":{}})");
}

BOOST_AUTO_TEST_CASE(name_and_removal_stand_beside_the_container) {
    BOOST_TEST(request_of(split("run --rm --name web true")).dump() ==
               R"({"auto_remove":true,"container":{"command":["true"]},"name":"web"})");
}

BOOST_AUTO_TEST_CASE(values_that_only_look_like_syntax) {
    BOOST_TEST(request_of({"run", "-e", "A={}", "-w", "{}", "-u", "[a,b]", "-h", "", "x"}).dump() ==
               R"({"container":{"command":["x"],"environment":{"A":"{}"},"hostname":"",)"
               R"("user":"[a,b]","working_dir":"{}"}})");
}

BOOST_AUTO_TEST_CASE(a_value_may_be_empty) {
    check_container("--hostname= --workdir=/w -u=",
                    R"({"hostname":"","user":"=","working_dir":"/w"})");
    BOOST_TEST(request_of({"run", "--hostname=", "--", "--user="})["container"].dump() ==
               R"({"command":["--user="],"hostname":""})");
    BOOST_TEST(parse_command_line({"stop", "--timeout=", "web"}, all_commands())
                   .arguments.operands.front() == "web");
}

BOOST_AUTO_TEST_CASE(errors_name_the_option) {
    const std::map<std::string, std::string> cases = {
        {"run -m 50q x", "--memory: '50q' is not a size such as 50m or 1.5g"},
        {"run --cpus 1,5 x", "--cpus: '1,5' is not a number such as 1.5"},
        {"run --cpus inf x", "--cpus: 'inf' is not a number such as 1.5"},
        {"run --pids-limit 1k x", "--pids-limit: '1k' is not a whole number"},
        {"run --cpu-shares 99999999999999999999 x",
         "--cpu-shares: '99999999999999999999' is not a whole number"},
        {"run --restart on-failure:x x", "--restart: 'x' is not a whole number"},
        {"run --restart-delay 5 x", "--restart-delay: '5' is not a time such as 500ms or 1m30s"},
        {"run --ulimit nofile x", "--ulimit: 'nofile' is not NAME=SOFT[:HARD]"},
        {"run --log-opt mode=block x",
         "--log-opt: 'mode=block' is not max-size=SIZE or max-file=N"},
        {"run -e =x x", "--env: '=x' is not NAME=VALUE or NAME"},
        {"run --env-file none x", "--env-file: cannot read none"},
        {"run --memry 5m x", "unknown option --memry. Did you mean --memory?"},
        {"run", "missing COMMAND [ARG...]"},
        {"run -m 50m", "missing COMMAND [ARG...]"},
        {"create -d x", "The following argument was not expected: -d"},
        {"stpo web", "there is no command 'stpo'. Did you mean stop?"},
        {"daemon", "which one? mydocker-ctl daemon info|upgrade|shutdown"},
        {"-q", "which command?"},
        {"stop", "missing NAME [NAME...]"},
        {"ps web", "unexpected 'web'"},
    };
    for (const auto& [line, message] : cases) {
        BOOST_TEST_CONTEXT(line) { BOOST_TEST(usage_error(split(line)) == message); }
    }
}

BOOST_AUTO_TEST_CASE(global_options_before_and_after) {
    for (const char* line : {"-H /s --format json ps -a", "ps -a --format json -H /s",
                             "-H/s ps --format=json -a", "--host=/s ps -a --format json"}) {
        BOOST_TEST_CONTEXT(line) {
            const Parsed parsed = parse_command_line(split(line), all_commands());
            BOOST_TEST(parsed.command->name == "ps");
            BOOST_TEST(parsed.arguments.get("host") == "/s");
            BOOST_TEST(parsed.arguments.get("format") == "json");
            BOOST_TEST(parsed.arguments.has("all"));
        }
    }
    const Parsed mixed = parse_command_line(split("stop a -t 5 b"), all_commands());
    BOOST_TEST(mixed.arguments.operands == split("a b"), boost::test_tools::per_element());
    BOOST_TEST(mixed.arguments.get("timeout") == "5");
}

BOOST_AUTO_TEST_CASE(help_is_there_for_every_command) {
    for (const Command& command : all_commands()) {
        BOOST_TEST_CONTEXT(command.name) {
            const Parsed parsed =
                parse_command_line(split(std::string(command.name) + " --help"), all_commands());
            for (const Option& option : command.options) {
                BOOST_TEST(parsed.help.find("--" + key_of(option)) != std::string::npos);
            }
            const std::string usage = "Usage: mydocker-ctl " + std::string(command.name);
            BOOST_TEST(parsed.help.find(usage) != std::string::npos);
        }
    }
    const std::string list = parse_command_line({"--help"}, all_commands()).help;
    BOOST_TEST(list.find("config check") != std::string::npos);
    BOOST_TEST(parse_command_line({"help"}, all_commands()).help == list);
    BOOST_TEST(parse_command_line({}, all_commands()).help == list);
}

BOOST_AUTO_TEST_SUITE_END()
