// What a container wrote comes out again: every byte, in order, through rotation and restarts, and
// whoever reads too slowly holds up nobody.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <random>

#include "tests/system/harness.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    std::mt19937_64 random(5);
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
        const std::uint64_t word = random();
        bytes.replace(i, 8, reinterpret_cast<const char*>(&word), 8);
    }
    return bytes;
}

// BOOST_CHECK_EQUAL would print megabytes.
void check_same(const std::string& seen, const std::string& expected) {
    const auto [at, _] = std::mismatch(seen.begin(), seen.end(), expected.begin(), expected.end());
    BOOST_CHECK_MESSAGE(seen == expected, seen.size()
                                              << " bytes of " << expected.size()
                                              << ", different from byte " << at - seen.begin());
}

std::vector<std::string> run_words(const Directory& directory, const std::string& name,
                                   const std::string& script) {
    return {"run",     "--name", name,  "-v", directory.path().string() + ":/in:ro",
            "/bin/sh", "-c",     script};
}

std::vector<std::string> follow(const Daemon& daemon, const std::string& name) {
    return daemon.ctl_command({"logs", "-f", name});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(logs)

BOOST_AUTO_TEST_CASE(both_outputs_come_back_byte_by_byte) {
    const Directory directory;
    std::string all_bytes;
    for (int byte = 255; byte >= 0; --byte) all_bytes += static_cast<char>(byte);
    write_file(directory / "out", all_bytes + "\n\n\r\nend without a newline");
    write_file(directory / "err", "\n" + all_bytes + all_bytes);
    write_file(directory / "long", std::string(1 << 20, 'x') + "\n");
    const Daemon daemon;
    const Result bytes = daemon.ctl(run_words(directory, "bytes", "cat /in/out; cat /in/err >&2"));
    BOOST_CHECK_EQUAL(bytes.status, 0);
    for (const Result& result : {bytes, daemon.ctl({"logs", "bytes"})}) {
        check_same(result.out, read_file(directory / "out"));
        check_same(result.err, read_file(directory / "err"));
    }
    const Result line = daemon.ctl(run_words(directory, "line", "cat /in/long"));
    for (const Result& result : {line, daemon.ctl({"logs", "line"})})
        check_same(result.out, read_file(directory / "long"));
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "-n", "1", "line"}).out.size(), (1U << 20) + 1);
}

BOOST_AUTO_TEST_CASE(twenty_megabytes_arrive_whole) {
    const Directory directory;
    const std::string flood = random_bytes(20'000'000);
    write_file(directory / "flood", flood);
    const Daemon daemon;
    const Result result = daemon.ctl(run_words(directory, "web", "cat /in/flood"), 120s);
    BOOST_CHECK_EQUAL(result.status, 0);
    check_same(result.out, flood);
    BOOST_CHECK_EQUAL(result.err, "");
    check_same(daemon.ctl({"logs", "web"}, 120s).out, flood);
}

BOOST_AUTO_TEST_CASE(what_is_written_right_before_the_end_is_never_lost) {
    const Daemon daemon;
    for (int i = 0; i < 50; ++i) {
        const std::string number = std::to_string(i);
        const Result result = daemon.ctl({"run", "--rm", "/bin/sh", "-c",
                                          "echo out " + number + "; echo err " + number + " >&2"});
        BOOST_CHECK_EQUAL(result.out, "out " + number + "\n");
        BOOST_CHECK_EQUAL(result.err, "err " + number + "\n");
        BOOST_CHECK_EQUAL(result.status, 0);
    }
}

BOOST_AUTO_TEST_CASE(rotation_bounds_files_and_bytes) {
    const Daemon daemon(R"(version = 1
[container.web]
command = ["/bin/sh", "-c", "i=0; while [ $i -lt 4000 ]; do i=$((i+1)); echo line $i; done"]
logging = { max_size = "8k", max_files = 3 }
)");
    BOOST_REQUIRE(daemon.reaches("web", "exited"));
    const fs::path directory = daemon.inspect("web").at("log_directory").get<std::string>();
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(directory)) {
        ++files;
        BOOST_CHECK_LE(entry.file_size(), 8192U);
    }
    BOOST_CHECK_EQUAL(files, 3U);
    // What is left are the last lines, whole and in order.
    const auto lines = lines_of(daemon.ctl({"logs", "web"}).out);
    BOOST_REQUIRE_GT(lines.size(), 300U);
    for (std::size_t i = 0; i < lines.size(); ++i)
        BOOST_REQUIRE_EQUAL(lines[i], "line " + std::to_string(4000 - lines.size() + 1 + i));
}

BOOST_AUTO_TEST_CASE(a_follower_sees_each_line_once_across_restarts_and_rotation) {
    constexpr int attempts = 21;
    constexpr int lines = 60;  // an attempt
    const Directory directory;
    write_file(directory / "count", "0");
    // Each attempt goes on counting where the last one ended.
    const std::string script = "i=$(cat /s/count); end=$((i + " + std::to_string(lines) +
                               ")); while [ $i -lt $end ]; do i=$((i+1)); echo number $i; done; "
                               "echo $i > /s/count; exit 1";
    const Daemon daemon(
        "version = 1\n[container.web]\nautostart = \"no\"\ncommand = [\"/bin/sh\", "
        "\"-c\", " +
        toml_string(script) + "]\nvolumes = [\"" + directory.path().string() +
        ":/s\"]\nlogging = { max_size = \"4k\", max_files = 30 }\n" +
        "restart = { policy = \"always\", delay = \"50ms\", multiplier = 1, "
        "attempts = " +
        std::to_string(attempts - 1) + " }\n");
    BOOST_REQUIRE_EQUAL(daemon.ctl({"start", "web"}).status, 0);
    Process follower(follow(daemon, "web"));
    // It ends by itself when the container has come to rest, and not before.
    BOOST_CHECK(follower.wait(120s) == 0);
    BOOST_CHECK_EQUAL(daemon.state("web"), "failed");
    std::string expected;
    for (int i = 1; i <= attempts * lines; ++i) expected += "number " + std::to_string(i) + "\n";
    check_same(follower.out(), expected);
    const fs::path log = daemon.inspect("web").at("log_directory").get<std::string>();
    BOOST_CHECK(fs::exists(log / "12.log"));  // or nothing was rotated

    std::string fifth;
    for (int i = 4 * lines + 1; i <= 5 * lines; ++i) fifth += "number " + std::to_string(i) + "\n";
    check_same(daemon.ctl({"logs", "--attempt", "5", "web"}).out, fifth);
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "-n", "2", "web"}).out, "number 1259\nnumber 1260\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "-n", "0", "web"}).out, "");
    check_same(daemon.ctl({"logs", "-n", "100000", "web"}).out, expected);
    // From a line's own time on: that line is the first.
    const auto stamped = lines_of(daemon.ctl({"logs", "-t", "web"}).out);
    BOOST_REQUIRE_EQUAL(stamped.size(), static_cast<std::size_t>(attempts * lines));
    const std::string time = stamped[300].substr(0, stamped[300].find(' '));
    std::string since;
    for (const std::string& line : stamped)
        if (line.substr(0, time.size()) >= time) since += line.substr(time.size() + 1) + "\n";
    BOOST_CHECK(!since.empty());
    check_same(daemon.ctl({"logs", "--since", time, "web"}).out, since);
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "--since", "0s", "web"}).out, "");
    check_same(daemon.ctl({"logs", "--since", "1h", "web"}).out, expected);
    // The ledger knows where each attempt's log begins.
    const json log_begin = daemon.inspect("web").at("attempts")[attempts - 1].at("log");
    const std::string file =
        read_file(log / (std::to_string(log_begin.at("file").get<int>()) + ".log"));
    const std::size_t offset = log_begin.at("offset");
    if (offset < file.size())
        BOOST_CHECK_NE(file.substr(offset).find("stdout F number 1201\n"), std::string::npos);
}

BOOST_AUTO_TEST_CASE(who_never_reads_holds_up_nobody) {
    const Daemon daemon(R"(version = 1
[container.flood]
command = ["/bin/sh", "-c", "head -c 8000000 /dev/zero | tr '\\0' x"]
autostart = "no"
[container.other]
command = ["/bin/sh", "-c", "trap 'echo end; exit 0' TERM; while :; do sleep 0.05; done"]
)");
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    daemon.socket().string().copy(address.sun_path, sizeof address.sun_path - 1);
    BOOST_REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const std::string request =
        "GET /v1/containers/flood/logs?follow=1&await=1 HTTP/1.1\r\nHost: x\r\n\r\n";
    BOOST_REQUIRE(::send(fd, request.data(), request.size(), 0) > 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"start", "flood"}).status, 0);
    // The flood ends though nobody takes it, and everything else goes on meanwhile.
    const Result run = daemon.ctl({"run", "--rm", "echo", "hello"});
    BOOST_CHECK_EQUAL(run.out, "hello\n");
    BOOST_REQUIRE(daemon.heeds("other", SIGTERM));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "other"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "other"}).out, "end\n");
    BOOST_CHECK(daemon.reaches("flood", "exited"));
    // What was not read waits on disk, not in mydockerd's memory.
    BOOST_CHECK_LT(daemon.rss_kib(), 64U << 10);
    ::close(fd);
    check_same(daemon.ctl({"logs", "flood"}).out, std::string(8'000'000, 'x'));
}

BOOST_AUTO_TEST_SUITE_END()
