// Parts of a log: one attempt's, up to a time. And its followers: two hundred at once, and one that
// cannot keep up.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/unique_fd.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using mydocker::runtime::UniqueFd;

namespace {

std::string numbers(int from, int to) {
    std::string text;
    for (int i = from; i <= to; ++i) text += "line " + std::to_string(i) + "\n";
    return text;
}

// A connection that has asked for this and reads nothing yet.
UniqueFd ask(const Daemon& daemon, const std::string& target) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    daemon.socket().string().copy(address.sun_path, sizeof address.sun_path - 1);
    BOOST_REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
    BOOST_REQUIRE(::send(fd.get(), request.data(), request.size(), 0) > 0);
    return fd;
}

// The texts of the records in a chunked answer.
std::string texts_of(const std::string& answer) {
    std::string records;
    std::size_t at = answer.find("\r\n\r\n") + 4;
    for (;;) {
        const std::size_t size = std::stoul(answer.substr(at), nullptr, 16);
        if (size == 0) break;
        at = answer.find("\r\n", at) + 2;
        records += answer.substr(at, size);
        at += size + 2;
    }
    std::string texts;
    constexpr std::size_t prefix =
        std::string_view("2026-01-31T12:00:00.123456789Z stdout F ").size();
    // P: the line goes on in the next record, since it was read in two pieces.
    for (const std::string& record : lines_of(records))
        texts += record.substr(prefix) + (record[prefix - 2] == 'P' ? "" : "\n");
    return texts;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_followers)

BOOST_AUTO_TEST_CASE(each_attempt_has_its_own_log) {
    const Directory directory;
    write_file(directory / "count", "0");
    const Daemon daemon(
        "[container.web]\ncommand = [\"sh\", \"-c\", \"i=$(($(cat /s/count) + 1)); "
        "echo $i > /s/count; echo attempt $i; echo end $i; exit 1\"]\nvolumes = "
        "[\"" +
        directory.path().string() +
        ":/s\"]\nlogging = { max_size = \"4k\", max_files = 50 }\nrestart = { "
        "policy = \"always\", delay = \"10ms\", multiplier = 1, attempts = 4 }\n");
    BOOST_REQUIRE(daemon.reaches("web", "failed"));
    const auto log = [&](const std::string& attempt) {
        return daemon.ctl({"logs", "--attempt", attempt, "web"}).out;
    };
    BOOST_TEST_INFO(daemon.ctl({"explain", "web"}).out);
    BOOST_TEST(log("0") == "attempt 5\nend 5\n");
    BOOST_TEST(log("-1") == "attempt 4\nend 4\n");
    BOOST_TEST(log("-4") == "attempt 1\nend 1\n");
    BOOST_TEST(log("2") == "attempt 2\nend 2\n");
    BOOST_TEST(daemon.ctl({"logs", "--attempt", "-1", "-n", "1", "web"}).out == "end 4\n");
    // Of an attempt that has ended there is nothing to wait for.
    BOOST_TEST(daemon.ctl({"logs", "-f", "--attempt", "2", "web"}).out == "attempt 2\nend 2\n");
    for (const char* unknown : {"6", "-5", "99999999"}) {
        const Result result = daemon.ctl({"logs", "--attempt", unknown, "web"});
        BOOST_TEST(result.status == 1);
        BOOST_TEST(contains(result.err, "known: 1 to 5"));
    }
    BOOST_TEST(daemon.ctl({"logs", "--attempt", "x", "web"}).status == 125);
}

BOOST_AUTO_TEST_CASE(a_log_up_to_a_time) {
    const Daemon daemon;
    BOOST_TEST(daemon
                   .ctl({"run", "--name", "web", "sh", "-c",
                         "for i in 1 2 3 4; do echo line $i; sleep 0.2; done"})
                   .status == 0);
    const auto stamped = lines_of(daemon.ctl({"logs", "-t", "web"}).out);
    BOOST_REQUIRE(stamped.size() == 4u);
    const std::string third = stamped[2].substr(0, stamped[2].find(' '));
    BOOST_TEST(daemon.ctl({"logs", "--until", third, "web"}).out == numbers(1, 2));
    BOOST_TEST(daemon.ctl({"logs", "--until", third, "-n", "1", "web"}).out == numbers(2, 2));
    BOOST_TEST(daemon.ctl({"logs", "-f", "--until", third, "web"}).out == numbers(1, 2));
    BOOST_TEST(daemon.ctl({"logs", "--since", third, "web"}).out == numbers(3, 4));
    BOOST_TEST(daemon.ctl({"logs", "--until", "1h", "web"}).out == "");
    BOOST_TEST(daemon.api("GET", "/v1/containers/web/logs?until=noon").status == 400);
}

BOOST_AUTO_TEST_CASE(a_follower_that_stops_is_told_what_it_missed) {
    const Daemon daemon(R"([container.web]
command = ["sh", "-c", "read x < /go/fifo; i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo line $i; done; sleep 1000"]
logging = { max_size = "16k", max_files = 2 }
autostart = "no"
stop_signal = "KILL"
volumes = ["/run/mydocker-go:/go"]
)");
    std::filesystem::create_directories("/run/mydocker-go");
    BOOST_REQUIRE(run({"mkfifo", "/run/mydocker-go/fifo"}).status == 0);
    BOOST_TEST(daemon.ctl({"start", "web"}).status == 0);
    BOOST_TEST(daemon.reaches("web", "running"));
    const std::size_t before = daemon.open_descriptors();
    Process follower(daemon.ctl_command({"logs", "-f", "web"}));
    // It listens by the time that it is stopped: mydockerd has a client more.
    BOOST_REQUIRE(eventually([&] { return daemon.open_descriptors() > before; }));
    std::this_thread::sleep_for(2s);
    follower.signal(SIGSTOP);
    BOOST_TEST(run({"sh", "-c", "echo > /run/mydocker-go/fifo"}).status == 0);
    BOOST_TEST(eventually(
        [&] {
            return contains(daemon.ctl({"logs", "-n", "1", "web"}).out, "line 40000\n");
        },
        120s));
    BOOST_TEST(daemon.rss_kib() < 64u << 10);
    follower.signal(SIGCONT);
    BOOST_TEST(eventually([&] { return contains(follower.out(), "line 40000\n"); }));
    BOOST_TEST(contains(follower.err(), "this reader was too slow"));
    // What it has got is whole lines in order.
    int last = 0;
    for (const std::string& line : lines_of(follower.out())) {
        BOOST_REQUIRE(line.starts_with("line "));
        const int number = std::stoi(line.substr(5));
        BOOST_REQUIRE(number > last);
        last = number;
    }
    std::filesystem::remove_all("/run/mydocker-go");
}

BOOST_AUTO_TEST_CASE(two_hundred_followers_get_every_line) {
    constexpr int followers = 200;
    constexpr int lines = 3000;
    const Daemon daemon(
        "[container.web]\nautostart = \"no\"\ncommand = [\"sh\", \"-c\", \"i=0; while "
        "[ $i -lt " +
        std::to_string(lines) +
        " ]; do i=$((i+1)); echo line $i; done\"]\nlogging = { max_size = \"64k\", "
        "max_files = 20 }\n");
    std::vector<UniqueFd> fds;
    for (int i = 0; i < followers; ++i)
        fds.push_back(ask(daemon, "/v1/containers/web/logs?follow=1&await=1"));
    BOOST_TEST(daemon.ctl({"start", "web"}).status == 0);
    std::vector<std::string> answers(followers);
    std::size_t rss = 0;
    const auto deadline = std::chrono::steady_clock::now() + 120s;
    for (int open = followers; open > 0 && std::chrono::steady_clock::now() < deadline;) {
        std::vector<pollfd> waiting;
        for (const UniqueFd& fd : fds) waiting.push_back({fd ? fd.get() : -1, POLLIN, 0});
        ::poll(waiting.data(), waiting.size(), 1000);
        rss = std::max(rss, daemon.rss_kib());
        for (int i = 0; i < followers; ++i) {
            if (waiting[i].revents == 0) continue;
            char chunk[16384];
            const ssize_t count = ::read(fds[i].get(), chunk, sizeof chunk);
            if (count > 0) {
                answers[i].append(chunk, static_cast<std::size_t>(count));
            } else {
                fds[i].reset();
                --open;
            }
        }
    }
    const std::string expected = numbers(1, lines);
    for (int i = 0; i < followers; ++i) BOOST_TEST((texts_of(answers[i]) == expected), i);
    BOOST_TEST_MESSAGE("mydockerd at most " << rss << " KiB with " << followers << " followers");
    BOOST_TEST(rss < 96u << 10);
}

BOOST_AUTO_TEST_SUITE_END()
