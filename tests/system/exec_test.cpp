// Commands inside a running container: what they join, what they are given, what they cannot do,
// and that they end with it. The streams of exec and attach are terminal_test.cpp's.
#include <fcntl.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

constexpr auto sleeper = R"(
[container.web]
command = ["sleep", "1000"]
environment = { COLOUR = "red", SHAPE = "round" }
)";

// A detached command, to its end: what it wrote into /out, a volume on `directory`.
std::string written(const Daemon& daemon, const Directory& directory, const std::string& script,
                    json request = json::object()) {
    request["command"] = {"/bin/sh", "-c",
                          "{ " + script + "\n} > /out/part 2>&1; mv /out/part /out/whole"};
    request["detach"] = true;
    const auto reply = daemon.api("POST", "/v1/containers/web/exec", request.dump());
    BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body);
    BOOST_REQUIRE(eventually([&] { return std::filesystem::exists(directory / "whole"); }));
    const std::string text = read_file(directory / "whole");
    std::filesystem::remove(directory / "whole");
    return text;
}

std::string with_volume(const Directory& directory, const std::string& more = "") {
    return std::string(sleeper) + "volumes = [" + toml_string((directory / "").string() + ":/out") +
           "]\n" + more;
}

std::size_t processes(const Daemon& daemon) {
    return lines_of(daemon.cgroup_file("web", "cgroup.procs")).size();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(exec)

BOOST_AUTO_TEST_CASE(it_is_in_every_namespace_and_in_the_cgroup) {
    const Directory out;
    const Daemon daemon(with_volume(out));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    // In the container's own /proc: its pid 1 and the command see the same.
    const std::string script =
        "for ns in mnt pid uts ipc net cgroup; do "
        "test $(readlink /proc/self/ns/$ns) = $(readlink /proc/1/ns/$ns) && echo same; done; "
        "cat /proc/self/cgroup; hostname; echo $COLOUR $SHAPE $SIZE; pwd; ls /proc/self/fd";
    const auto lines = lines_of(
        written(daemon, out, script,
                {{"environment", {{"SHAPE", "square"}, {"SIZE", "9"}}}, {"working_dir", "/usr"}}));
    BOOST_REQUIRE_EQUAL(lines.size(), 14U);
    for (std::size_t i = 0; i < 6; ++i) BOOST_CHECK_EQUAL(lines[i], "same");
    BOOST_CHECK_EQUAL(lines[6], "0::/");
    BOOST_CHECK_EQUAL(lines[7], "web");
    BOOST_CHECK_EQUAL(lines[8], "red square 9");
    BOOST_CHECK_EQUAL(lines[9], "/usr");
    // stdin, stdout, stderr, and the directory that ls reads: nothing of the host's.
    for (std::size_t i = 10; i < 14; ++i) BOOST_CHECK_EQUAL(lines[i], std::to_string(i - 10));
}

BOOST_AUTO_TEST_CASE(it_has_the_containers_rights_or_what_was_asked_for) {
    const Directory out;
    const Daemon daemon(with_volume(out));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const std::string script = "grep -E 'CapBnd|NoNewPrivs|^Uid' /proc/self/status";
    const std::string plain = written(daemon, out, script);
    BOOST_CHECK_MESSAGE(contains(plain, "00000000a80425fb"), plain);
    BOOST_CHECK_MESSAGE(contains(plain, "NoNewPrivs:\t1"), plain);
    const std::string mighty = written(daemon, out, script, {{"privileged", true}});
    BOOST_CHECK_MESSAGE(!contains(mighty, "00000000a80425fb"), mighty);
    BOOST_CHECK_MESSAGE(contains(mighty, "NoNewPrivs:\t0"), mighty);
    std::filesystem::permissions(out / "", std::filesystem::perms::all);
    const std::string nobody = written(daemon, out, script, {{"user", "nobody"}});
    BOOST_CHECK_MESSAGE(contains(nobody, "Uid:\t65534\t65534\t65534\t65534"), nobody);
}

BOOST_AUTO_TEST_CASE(it_is_listed_and_ends_with_its_container) {
    const Daemon daemon(sleeper);
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const auto reply = daemon.api("POST", "/v1/containers/web/exec",
                                  R"({"command":["sleep","2000"],"detach":true})");
    BOOST_REQUIRE_EQUAL(reply.status, 200);
    const int pid = json::parse(reply.body)["pid"];
    const json listed = daemon.inspect("web")["execs"];
    BOOST_REQUIRE_EQUAL(listed.size(), 1U);
    BOOST_CHECK_EQUAL(listed[0]["pid"], pid);
    BOOST_CHECK_EQUAL(listed[0]["command"], (json{"sleep", "2000"}));
    BOOST_CHECK_EQUAL(processes(daemon), 2U);
    BOOST_CHECK_EQUAL(daemon.ctl({"restart", "web"}).status, 0);
    BOOST_CHECK(daemon.inspect("web")["execs"].empty());
    BOOST_CHECK(!std::filesystem::exists("/proc/" + std::to_string(pid)));
    BOOST_CHECK_EQUAL(processes(daemon), 1U);
}

// A fork is refused at the limit, a migration is not (the kernel's cgroup-v2 documentation, PID).
BOOST_AUTO_TEST_CASE(at_the_pids_limit_one_process_still_gets_in) {
    const Directory out;
    const Daemon daemon(with_volume(out, "pids_limit = 1\n"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const json request = {{"command", {"/bin/sh", "-c", "echo in > /out/said; exec sleep 3000"}},
                          {"detach", true}};
    const auto reply = daemon.api("POST", "/v1/containers/web/exec", request.dump());
    BOOST_REQUIRE_MESSAGE(reply.status == 200, reply.body);
    BOOST_REQUIRE(eventually([&] { return read_file(out / "said") == "in\n"; }));
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "pids.current"), "2");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "pids.max"), "1");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_done_says_why) {
    const Daemon daemon(std::string(sleeper) +
                        "[container.idle]\ncommand = [\"true\"]\nautostart = \"no\"\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const auto refused = [&](const std::string& name, const json& request, int status,
                             const std::string& words, int exit_code = 0) {
        const auto reply = daemon.api("POST", "/v1/containers/" + name + "/exec", request.dump());
        BOOST_CHECK_EQUAL(reply.status, status);
        BOOST_CHECK_MESSAGE(contains(reply.body, words), reply.body);
        if (exit_code != 0) BOOST_CHECK_EQUAL(json::parse(reply.body)["exit_code"], exit_code);
    };
    const json command = {"true"};
    refused("idle", {{"command", command}, {"detach", true}}, 409, "idle, which is created");
    refused("web", {{"command", {"nonesuch"}}, {"detach", true}}, 500, "No such file", 127);
    refused("web", {{"command", {"/etc"}}, {"detach", true}}, 500, "Permission denied", 126);
    refused("web", {{"command", command}, {"detach", true}, {"working_dir", "/none"}}, 500,
            "enter the working directory /none: No such file", 125);
    refused("web", {{"command", command}, {"detach", true}, {"user", "nonesuch"}}, 500,
            "find user");
    refused("web", {{"command", command}}, 400, "Upgrade");
    refused("web", {{"command", json::array()}, {"detach", true}}, 400, "command");
    refused("web", {{"command", command}, {"detach", true}, {"colour", 1}}, 400, "colour");
    refused("web", {{"command", command}, {"detach", true}, {"tty", true}}, 400, "terminal");
    BOOST_CHECK(daemon.inspect("web")["execs"].empty());
    BOOST_CHECK_EQUAL(processes(daemon), 1U);
}

// What speaks no frames loses its connection; the daemon and the container go on.
BOOST_AUTO_TEST_CASE(broken_frames_end_their_connection_alone) {
    const Daemon daemon(std::string(sleeper) + "stdin_open = true\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const std::string head =
        "POST /v1/containers/web/attach?stdin=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: mydocker-stream\r\nContent-Length: 0\r\n\r\n";
    const std::string too_long("\0\0\0\0\x7f\xff\xff\xff", 8);
    const std::string unknown("\x63\0\0\0\0\0\0\0", 8);
    const std::string only_the_daemons("\1\0\0\0\0\0\0\1x", 9);
    std::string flood;  // far more than the window, never credited: sleep reads nothing
    for (int i = 0; i < 8; ++i) {
        flood.append("\0\0\0\0\0\1\0\0", 8);
        flood.append(65536, 'x');
    }
    for (const std::string& bad : {too_long, unknown, only_the_daemons, flood}) {
        const std::string answer = daemon.raw(head + bad);
        BOOST_CHECK_MESSAGE(answer.starts_with("HTTP/1.1 101 "), answer.substr(0, 100));
    }
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

// CVE-2019-5736: a container that executes the program that made it must not be able to overwrite
// the host's file.
BOOST_AUTO_TEST_CASE(the_init_is_a_sealed_copy) {
    const Daemon daemon;
    const Result result = daemon.ctl({"run", "--rm", "/proc/self/exe"});
    BOOST_CHECK_EQUAL(result.status, 125);
    BOOST_CHECK_MESSAGE(contains(result.err, "does nothing when run by hand"), result.err);
    bool found = false;
    for (const std::string& child :
         lines_of(read_file("/proc/" + std::to_string(daemon.pid()) + "/task/" +
                            std::to_string(daemon.pid()) + "/children"))) {
        const std::string pid = child.substr(0, child.find(' '));
        if (pid.empty()) continue;
        found = true;
        const std::string exe = "/proc/" + pid + "/exe";
        BOOST_CHECK_MESSAGE(
            std::filesystem::read_symlink(exe).string().starts_with("/memfd:mydocker-init"), exe);
        const int fd = ::open(exe.c_str(), O_WRONLY | O_CLOEXEC);
        BOOST_CHECK_EQUAL(fd, -1);
    }
    BOOST_CHECK(found);
}

BOOST_AUTO_TEST_SUITE_END()
