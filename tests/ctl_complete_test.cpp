// What a shell is offered at the cursor of a command line.
#include <boost/test/unit_test.hpp>

#include "tools/ctl/complete.hpp"

using namespace mydocker::ctl;
using Words = std::vector<std::string>;

namespace {

std::string asked_socket;

std::string offered(const Words& words) {
    asked_socket = "(nobody asked)";
    const Completions found = complete(words, all_commands(), [](const std::string& socket) {
        asked_socket = socket;
        return std::vector<Known>{{"db", "exited"}, {"web", "running"}, {"worker", "waiting"}};
    });
    std::string text;
    for (const Candidate& candidate : found.candidates) text += candidate.text + ' ';
    if (found.files == Completions::Files::files) text += ":files";
    if (found.files == Completions::Files::directories) text += ":directories";
    return text;
}

bool offers(const Words& words, const std::string& text) {
    return (' ' + offered(words)).find(' ' + text + ' ') != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_complete)

BOOST_AUTO_TEST_CASE(commands) {
    BOOST_TEST(offers({""}, "run"));
    BOOST_TEST(offers({""}, "config"));
    BOOST_TEST(!offers({""}, "__complete"));
    BOOST_TEST(offered({"star"}) == "start ");
    BOOST_TEST(offered({"-H", "/run/x", "star"}) == "start ");
    BOOST_TEST(offered({"config", ""}) == "check show ");
    BOOST_TEST(offered({"config", "c"}) == "check ");
    BOOST_TEST(offered({"nosuch", ""}) == "");
    BOOST_TEST(offered({}) == offered({""}));
}

BOOST_AUTO_TEST_CASE(containers_that_the_command_can_be_for) {
    BOOST_TEST(offered({"stop", ""}) == "web worker ");
    BOOST_TEST(asked_socket == "");
    BOOST_TEST(offered({"start", ""}) == "db ");
    BOOST_TEST(offered({"inspect", ""}) == "db web worker ");
    BOOST_TEST(offered({"stop", "web", "w"}) == "web worker ");
    BOOST_TEST(offered({"stop", "-t", "3", "wo"}) == "worker ");
    BOOST_TEST(offered({"attach", "web", ""}) == "");  // one only
    BOOST_TEST(offered({"ps", ""}) == "");
    BOOST_TEST(offered({"stop", "-H", "unix:///run/x", ""}) == "web worker ");
    BOOST_TEST(asked_socket == "/run/x");
    offered({"--host=/run/y", "stop", ""});
    BOOST_TEST(asked_socket == "/run/y");
}

BOOST_AUTO_TEST_CASE(options_and_their_values) {
    BOOST_TEST(offered({"run", "--cpuset-"}) == "--cpuset-cpus ");
    BOOST_TEST(offers({"run", "-"}, "-d"));
    BOOST_TEST(!offers({"run", "--"}, "-d"));
    BOOST_TEST(offers({"ps", "--"}, "--format"));
    BOOST_TEST(offered({"ps", "--format", ""}) == "table json ");
    BOOST_TEST(offered({"ps", "--format=j"}) == "--format=json ");
    BOOST_TEST(offered({"ps", "--format", "=", "j"}) == "json ");  // as bash cuts it
    BOOST_TEST(offered({"ps", "--format", "="}) == "table json ");
    BOOST_TEST(offered({"ps", "--format", "=", "json", "--no-"}) == "--no-trunc ");
    BOOST_TEST(offered({"kill", "-s", "SIGU"}) == "SIGUSR1 SIGUSR2 ");
    BOOST_TEST(offered({"run", "--rootfs", ""}) == ":directories");
    BOOST_TEST(offered({"run", "--env-file", ""}) == ":files");
    BOOST_TEST(offered({"attach", "--sig-proxy="}) == "--sig-proxy=true --sig-proxy=false ");
    BOOST_TEST(offered({"run", "--name", ""}) == "");
    BOOST_TEST(offered({"run", "-m", ""}) == "");
}

BOOST_AUTO_TEST_CASE(what_belongs_to_the_workload_is_left_to_the_shell) {
    BOOST_TEST(offered({"run", "--rm", ""}) == ":files");
    BOOST_TEST(offered({"run", "ls", "--"}) == ":files");
    BOOST_TEST(offered({"exec", "-it", ""}) == "web worker ");
    BOOST_TEST(offered({"exec", "-it", "web", ""}) == ":files");
    BOOST_TEST(offered({"exec", "web", "ls", "-"}) == ":files");
    BOOST_TEST(offered({"config", "check", ""}) == ":files");
    BOOST_TEST(offered({"completion", ""}) == "bash zsh fish ");
}

BOOST_AUTO_TEST_CASE(no_line_is_too_strange) {
    for (const Words& words : {Words{"="}, Words{"=", "="}, Words{"--", ""}, Words{"run", "=", "="},
                               Words{"--format", "="}, Words{"exec", "--", "", ""},
                               Words{"-Hx", "-"}, Words{"stop", "--format="}}) {
        offered(words);
    }
}

BOOST_AUTO_TEST_SUITE_END()
