// `run -ti`, `attach` and `exec -it` at a real terminal that the test types at, and their pipes:
// what the workload sees, what the client shows, and that nobody's going away hurts anybody else.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/pty.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"
#include "tools/ctl/program.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> with_host(const Daemon& daemon, std::vector<std::string> words) {
    words.insert(words.begin(), {"-H", daemon.socket()});
    return words;
}

// mydocker-ctl with these three.
class Client : public SessionProcess {
public:
    Client(const Daemon& daemon, std::vector<std::string> words, int in, int out, int err,
           bool controls = false)
        : SessionProcess([&] { return mydocker::ctl::run_program(with_host(daemon, words)); }, in,
                         out, err, controls) {}
};

// mydocker-ctl at a terminal of its own.
struct Seat {
    Seat(const Daemon& daemon, std::vector<std::string> words)
        : client(daemon, std::move(words), terminal.slave.get(), terminal.slave.get(),
                 terminal.slave.get(), true) {}

    // Types the line and waits for the text, which must not stand in the line itself.
    bool answers(const std::string& line, const std::string& text) {
        terminal.screen.clear();
        terminal.type(line + '\r');
        return contains(terminal.shows(text), text);
    }
    Terminal terminal;
    Client client;
};

const std::vector<std::string> shell = {"run", "-ti", "--name", "web", "/bin/sh"};

}  // namespace

BOOST_AUTO_TEST_SUITE(terminal)

BOOST_AUTO_TEST_CASE(a_shell_at_a_terminal_that_changes_its_size) {
    const Daemon daemon;
    Seat seat(daemon, shell);
    BOOST_REQUIRE(seat.answers("stty size", "30 100"));
    BOOST_CHECK(seat.terminal.is_raw());
    const winsize size{50, 132, 0, 0};
    ::ioctl(seat.terminal.master.get(), TIOCSWINSZ, &size);
    BOOST_CHECK(becomes_true([&] { return seat.answers("stty size", "50 132"); }));
    BOOST_CHECK(seat.answers("test -t 0 && test -t 1 && test -t 2 && echo ye''s", "yes"));
    // ^C is the workload's, and does not end the shell.
    seat.terminal.type("sleep 1000\r");
    BOOST_REQUIRE(becomes_true([&] {
        const Result top = daemon.ctl({"exec", "web", "sh", "-c", "pgrep -x sleep || true"});
        return !top.out.empty();
    }));
    seat.terminal.type("\x03");
    BOOST_CHECK(seat.answers("echo still he''re", "still here"));
    seat.terminal.type("exit 7\r");
    BOOST_CHECK_EQUAL(seat.client.exit_code(), 7);
    BOOST_CHECK(seat.terminal.is_as_before());
}

BOOST_AUTO_TEST_CASE(the_books_line_to_the_letter) {
    const Daemon daemon;
    Seat seat(daemon, {"run", "-ti", "--cpushare", "8000", "--cpuset", "0-1", "-m", "50m",
                       "/usr/bin/stress", "--vm-bytes", "30m", "--vm-keep", "--vm", "1"});
    BOOST_REQUIRE(contains(seat.terminal.shows("dispatching hogs: 0 cpu, 0 io, 1 vm"), "hogs"));
    const auto containers = list(daemon);
    BOOST_REQUIRE_EQUAL(containers.size(), 1U);
    const std::string name = containers.front().at("name");
    BOOST_CHECK(becomes_true(
        [&] { return std::stoul(daemon.cgroup_file(name, "memory.current")) > 30'000'000; }));
    BOOST_CHECK_EQUAL(daemon.cgroup_file(name, "memory.max"), "52428800");
    BOOST_CHECK_EQUAL(daemon.cgroup_file(name, "cpuset.cpus"), "0-1");
    seat.terminal.type("\x03");
    BOOST_CHECK_EQUAL(seat.client.exit_code(), 1);  // "FAIL: worker got signal 2"
    BOOST_CHECK(seat.terminal.is_as_before());
    BOOST_CHECK_EQUAL(daemon.inspect(name).at("exit_code"), 1);
}

BOOST_AUTO_TEST_CASE(left_by_keys_and_come_back_to_by_two) {
    const Daemon daemon;
    {
        Seat first(daemon, shell);
        BOOST_REQUIRE(first.answers("x=4''2; echo rea''dy", "ready"));
        first.terminal.type("\x10\x11");
        BOOST_CHECK_EQUAL(first.client.exit_code(), 0);
        BOOST_CHECK(first.terminal.is_as_before());
        BOOST_CHECK(contains(first.terminal.shows("goes on"), "detached from web; it goes on"));
    }
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
    Seat one(daemon, {"attach", "web"});
    Seat other(daemon, {"attach", "--detach-keys", "ctrl-x", "web"});
    BOOST_REQUIRE(becomes_true([&] { return one.terminal.is_raw() && other.terminal.is_raw(); }));
    BOOST_CHECK(one.answers("echo [$x]", "[42]"));
    BOOST_CHECK(contains(other.terminal.shows("[42]"), "[42]"));
    one.client.signal(SIGKILL);
    BOOST_CHECK(other.answers("echo \"<$x>\"", "<42>"));
    other.terminal.type("\x18");
    BOOST_CHECK_EQUAL(other.client.exit_code(), 0);
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

BOOST_AUTO_TEST_CASE(a_killed_client_leaves_its_terminal_in_order_and_its_workload_running) {
    const Daemon daemon;
    Seat seat(daemon, shell);
    BOOST_REQUIRE(seat.answers("echo rea''dy", "ready"));
    BOOST_CHECK(seat.terminal.is_raw());
    seat.client.signal(SIGKILL);
    BOOST_CHECK(becomes_true([&] { return seat.terminal.is_as_before(); }));
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

BOOST_AUTO_TEST_CASE(a_terminal_outlives_a_killed_daemon) {
    Daemon daemon;
    Seat seat(daemon, shell);
    BOOST_REQUIRE(seat.answers("echo rea''dy", "ready"));
    daemon.crash();
    BOOST_CHECK(seat.answers("echo st''ill", "still"));
    BOOST_CHECK(seat.terminal.is_raw());
    seat.terminal.type("exit 3\r");
    BOOST_CHECK_EQUAL(seat.client.exit_code(), 3);
    BOOST_CHECK(seat.terminal.is_as_before());
}

BOOST_AUTO_TEST_CASE(a_client_told_to_end_passes_it_on) {
    const Daemon daemon;
    Seat seat(daemon, {"run", "-ti", "--rm", "--init", "/bin/sh", "-c",
                       "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"});
    BOOST_REQUIRE(contains(seat.terminal.shows("ready"), "ready"));
    seat.client.signal(SIGTERM);
    BOOST_CHECK_EQUAL(seat.client.exit_code(), 9);
    BOOST_CHECK(seat.terminal.is_as_before());
}

BOOST_AUTO_TEST_CASE(a_hundred_megabytes_through_stdin_and_stdout) {
    const Daemon daemon;
    const Directory directory;
    const std::string sent = directory / "sent", got = directory / "got";
    {
        std::string piece;
        for (unsigned i = 0; piece.size() < 1'000'003; ++i)
            piece += std::to_string(i * 2654435761U);
        std::string all;
        for (int i = 0; i < 100; ++i) all += piece;
        write_file(sent, all);
    }
    const mydocker::ctl::UniqueFd in(::open(sent.c_str(), O_RDONLY | O_CLOEXEC));
    const mydocker::ctl::UniqueFd out(::open(got.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    Client client(daemon, {"run", "--rm", "-i", "cat"}, in.get(), out.get(), 2);
    // Slow machine: no judgement on time but that it ends.
    std::optional<int> code;
    for (int i = 0; i < 10 && !code; ++i) {
        const int seen = client.exit_code();
        if (seen >= 0) code = seen;
    }
    BOOST_CHECK(code == 0);
    BOOST_CHECK_EQUAL(run({"cmp", sent, got}).out, "");
    BOOST_CHECK_EQUAL(fs::file_size(got), fs::file_size(sent));
}

BOOST_AUTO_TEST_CASE(input_ends_where_ours_ends) {
    const Daemon daemon;
    Process client([&] {
        return mydocker::ctl::run_program(
            with_host(daemon, {"run", "--rm", "-i", "/usr/bin/sha256sum"}));
    });  // of an empty file
    BOOST_CHECK(client.wait() == 0);
    BOOST_CHECK(client.out().starts_with("e3b0c44298fc1c149afbf4c8996fb924"));
    // Without -i it has none, however much we have.
    BOOST_CHECK_EQUAL(daemon.ctl({"run", "--rm", "cat"}).status, 0);
}

BOOST_AUTO_TEST_CASE(stdout_and_stderr_stay_apart) {
    const Daemon daemon;
    const Result result =
        daemon.ctl({"run", "--rm", "sh", "-c", "echo out; echo err >&2; printf end; exit 3"});
    BOOST_CHECK_EQUAL(result.status, 3);
    BOOST_CHECK_EQUAL(result.out, "out\nend");
    BOOST_CHECK_EQUAL(result.err, "err\n");
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_does_not_block_the_workload) {
    const Daemon daemon;
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const mydocker::ctl::UniqueFd never_read(ends[0]);
    mydocker::ctl::UniqueFd write(ends[1]);
    const mydocker::ctl::UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Client slow(daemon,
                {"run", "--name", "web", "sh", "-c",
                 "echo start; sleep 0.5; head -c 5000000 /dev/zero; exit 5"},
                nothing.get(), write.get(), 2);
    write = mydocker::ctl::UniqueFd();
    BOOST_CHECK(daemon.reaches("web", "failed"));
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("exit_code"), 5);
    // And one that is stopped altogether.
    Seat stopped(daemon, {"run", "-ti", "--name", "db", "sh", "-c",
                          "echo ready; sleep 1; head -c 5000000 /dev/zero; exit 6"});
    BOOST_REQUIRE(contains(stopped.terminal.shows("ready"), "ready"));
    stopped.client.signal(SIGSTOP);
    BOOST_CHECK(daemon.reaches("db", "failed"));
    BOOST_CHECK_EQUAL(daemon.inspect("db").at("exit_code"), 6);
}

BOOST_AUTO_TEST_CASE(exec_joins_what_runs) {
    const Daemon daemon;
    BOOST_REQUIRE_EQUAL(
        daemon.ctl({"run", "-d", "--name", "web", "--hostname", "inside", "sleep", "1000"}).status,
        0);
    const auto exec = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "exec");
        return daemon.ctl(std::move(words));
    };
    BOOST_CHECK_EQUAL(exec({"web", "hostname"}).out, "inside\n");
    BOOST_CHECK_EQUAL(exec({"web", "sh", "-c", "exit 9"}).status, 9);
    BOOST_CHECK_EQUAL(exec({"web", "sh", "-c", "kill -9 $$"}).status, 137);
    BOOST_CHECK_EQUAL(exec({"web", "no-such-program"}).status, 127);
    BOOST_CHECK_EQUAL(exec({"web", "/etc"}).status, 126);
    BOOST_CHECK_EQUAL(exec({"nobody", "true"}).status, 125);
    const Result apart = exec({"web", "sh", "-c", "echo out; echo err >&2"});
    BOOST_CHECK_EQUAL(apart.out, "out\n");
    BOOST_CHECK_EQUAL(apart.err, "err\n");
    BOOST_CHECK_EQUAL(exec({"-e", "A=b c", "-w", "/tmp", "-u", "65534", "web", "sh", "-c",
                            "echo \"$A $PWD $(id -u)\""})
                          .out,
                      "b c /tmp 65534\n");
    const Result detached = exec({"-d", "web", "sh", "-c", "exec sleep 999"});
    BOOST_CHECK_EQUAL(detached.status, 0);
    BOOST_CHECK(becomes_true([&] {
        return exec({"web", "pgrep", "-f", "sleep 999"}).status == 0;
    }));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "-t", "0", "web"}).status, 0);
    BOOST_CHECK_EQUAL(exec({"web", "true"}).status, 125);
}

BOOST_AUTO_TEST_CASE(exec_at_a_terminal) {
    const Daemon daemon;
    BOOST_REQUIRE_EQUAL(daemon.ctl({"run", "-d", "--name", "web", "sleep", "1000"}).status, 0);
    Seat seat(daemon, {"exec", "-it", "web", "sh"});
    BOOST_REQUIRE(seat.answers("stty size", "30 100"));
    const winsize size{40, 90, 0, 0};
    ::ioctl(seat.terminal.master.get(), TIOCSWINSZ, &size);
    BOOST_CHECK(becomes_true([&] { return seat.answers("stty size", "40 90"); }));
    seat.terminal.type("exit 8\r");
    BOOST_CHECK_EQUAL(seat.client.exit_code(), 8);
    BOOST_CHECK(seat.terminal.is_as_before());
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

BOOST_AUTO_TEST_SUITE_END()
