// Starts that cannot succeed: each failure names the container, the step, the path and errno's
// text, in one line and with docker's exit code, and leaves nothing behind.
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;

namespace {

struct Row {
    std::vector<std::string> arguments;
    int status;
    std::string error;  // after the container's name
};

}  // namespace

BOOST_AUTO_TEST_SUITE(start_errors)

BOOST_AUTO_TEST_CASE(each_says_what_failed_and_why) {
    const Daemon daemon;
    const fs::path garbage = daemon.directory() / "garbage";
    std::ofstream(garbage) << "neither ELF nor script";
    ::chmod(garbage.c_str(), 0755);
    const fs::path script = daemon.directory() / "script";
    std::ofstream(script) << "#!/no/such/interpreter\n";
    ::chmod(script.c_str(), 0755);

    const std::vector<Row> rows = {
        {{"/no/such/program"}, 127, "execute /no/such/program: No such file or directory"},
        {{"no-such-program"},
         127,
         "execute no-such-program: No such file or directory (searched in the container's PATH)"},
        {{"/etc/passwd"}, 126, "execute /etc/passwd: Permission denied"},
        {{"/usr"}, 126, "execute /usr: Permission denied"},
        {{"-v", garbage.string() + ":/garbage", "/garbage"},
         126,
         "execute /garbage: Exec format error"},
        {{"-v", script.string() + ":/script", "/script"},
         127,
         "execute /script: No such file or directory"},
        {{"--rootfs", "/no/such/root", "true"},
         125,
         "open rootfs /no/such/root: No such file or directory"},
        {{"--rootfs", "/etc/passwd", "true"}, 125, "open rootfs /etc/passwd: Not a directory"},
        {{"-v", "/no/such/source:/data", "true"},
         125,
         "open volume /no/such/source: No such file or directory"},
        {{"-v", "/etc:/etc/passwd", "true"}, 125, "mount a volume on /etc/passwd: Not a directory"},
        {{"-v", "/etc/passwd:/usr", "true"}, 125, "mount a volume on /usr: Is a directory"},
        {{"--user", "nobody-at-all", "true"},
         125,
         "find user \"nobody-at-all\" in the container's /etc/passwd: No such file or directory"},
        {{"--user", "0:no-such-group", "true"},
         125,
         "find group \"no-such-group\" in the container's /etc/group: No such file or directory"},
        {{"--workdir", "/etc/passwd", "true"},
         125,
         "enter the working directory /etc/passwd: Not a directory"},
        {{"--cpuset-cpus", "0-1,7", "true"},
         125,
         "cpuset \"0-1,7\" names CPUs that are not here (available: 0-1): Invalid argument"},
        {{"--ulimit", "nofile=1073741824:1073741825", "true"},
         125,
         "set the resource limit nofile to 1073741824:1073741825: Operation not permitted"}};
    for (const Row& row : rows) {
        std::vector<std::string> arguments{"run", "--rm", "--name", "web"};
        arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
        const Result result = daemon.ctl(arguments);
        BOOST_TEST_CONTEXT(row.error) {
            BOOST_CHECK_EQUAL(result.status, row.status);
            BOOST_CHECK_EQUAL(result.out, "");
            BOOST_CHECK_EQUAL(result.err, "mydocker-ctl: web: " + row.error + "\n");
        }
    }
    BOOST_CHECK_EQUAL(cgroups_below(daemon.cgroup()).size(), 0U);
    BOOST_CHECK(eventually([&] { return fs::is_empty(daemon.directory() / "data/containers"); }));
}

// A start that fails is a cause like any other: judged by the policy, told in the same words.
BOOST_AUTO_TEST_CASE(a_container_of_the_host_file_is_retried_and_then_fails_with_its_reason) {
    const Daemon daemon(R"(version = 1
[container.web]
command = ["/srv/missing"]
restart = { policy = "on-failure", attempts = 2, delay = "10ms" }
[container.rootless]
rootfs = "/no/such/root"
command = ["true"]
)");
    BOOST_REQUIRE(daemon.reaches("web", "failed"));
    const auto shown = daemon.inspect("web");
    BOOST_CHECK_EQUAL(shown.at("attempts").size(), 3U);
    BOOST_CHECK_EQUAL(shown.at("cause"), "start-error");
    BOOST_CHECK(shown.at("exit_code").is_null());
    const std::string reason = shown.at("reason");
    const std::string expected =
        "could not start: execute /srv/missing: No such file or directory; 3rd failure in a row, ";
    BOOST_CHECK_MESSAGE(reason.starts_with(expected), reason);
    BOOST_REQUIRE(daemon.reaches("rootless", "failed"));
    BOOST_CHECK_EQUAL(daemon.inspect("rootless").at("attempts").at(0).at("error"),
                      "open rootfs /no/such/root: No such file or directory");
    BOOST_CHECK_EQUAL(cgroups_below(daemon.cgroup()).size(), 0U);
}

// What needs nothing of the host is possible: a directory that is missing is made.
BOOST_AUTO_TEST_CASE(missing_targets_and_working_directories_are_made) {
    const Daemon daemon;
    const Result result =
        daemon.ctl({"run", "--rm", "-v", "/etc:/new/place:ro", "-v", "/etc/passwd:/new/file:ro",
                    "--workdir", "/new/work/dir", "/bin/sh", "-c",
                    "pwd; test -s /new/place/passwd && "
                    "test -s /new/file && echo both"});
    BOOST_CHECK_EQUAL(result.out, "/new/work/dir\nboth\n");
    BOOST_CHECK(!fs::exists("/new"));
}

BOOST_AUTO_TEST_SUITE_END()
