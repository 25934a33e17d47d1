// Memory, descriptors and disk are bounded, whatever containers and clients do.
// MYDOCKER_CRASH_LOOPS (default 300): how many ends of a crash loop.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/unique_fd.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/ordered_faults.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;
using mydocker::runtime::UniqueFd;

namespace {

// What goes meanwhile counts for nothing.
std::uintmax_t bytes_below(const fs::path& directory) {
    std::uintmax_t sum = 0;
    std::error_code gone;
    for (fs::recursive_directory_iterator at(directory), end; at != end; at.increment(gone)) {
        if (gone || !at->is_regular_file(gone)) continue;
        if (const auto size = at->file_size(gone); !gone) sum += size;
    }
    return sum;
}

UniqueFd connect_to(const Daemon& daemon) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    daemon.socket().string().copy(address.sun_path, sizeof address.sun_path - 1);
    BOOST_REQUIRE(fd.get() >= 0);
    BOOST_REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bounded)

BOOST_AUTO_TEST_CASE(a_crash_loop_costs_neither_memory_nor_a_sync) {
    constexpr int containers = 8;
    const int wanted = number_from_environment("MYDOCKER_CRASH_LOOPS", 300);
    OrderedFaults faults;
    std::string toml = "version = 1\n[daemon]\nmax_concurrent_starts = 8\n";
    for (int i = 0; i < containers; ++i)
        toml +=
            "[container.c" + std::to_string(i) +
            "]\ncommand = [\"sh\", \"-c\", \"echo it goes wrong again; exit 1\"]\n[container.c" +
            std::to_string(i) + ".restart]\npolicy = \"always\"\ndelay = \"0s\"\n" +
            "prearm = " + (i % 2 == 0 ? "true" : "false") + "\n";
    Daemon daemon(toml);
    const auto ends = [&] {
        int sum = 0;
        for (const auto& container : list(daemon)) sum += container.value("attempt", 0);
        return sum;
    };
    const auto until = [&](int number) {
        const auto enough = [&] {
            std::this_thread::sleep_for(200ms);
            return ends() >= number;
        };
        BOOST_REQUIRE(eventually(enough, 120s + number * 200ms));
    };
    until(wanted / 2);
    const std::size_t rss = daemon.rss_kib();
    const std::size_t descriptors = daemon.open_descriptors();
    const int syncs = faults.syncs();
    until(wanted);
    BOOST_TEST_MESSAGE(ends() << " ends: " << rss << " KiB after half of them, " << daemon.rss_kib()
                              << " KiB in the end");
    BOOST_CHECK_EQUAL(faults.syncs(), syncs);
    // Its journal of events, a ring of 4096, fills meanwhile: some 3 KiB an end.
    const std::size_t journal = wanted < 4000 ? static_cast<std::size_t>(wanted) * 3 / 2 : 0;
    BOOST_CHECK_LE(daemon.rss_kib(), rss + 1024 + journal);
    // Those of the attempts that are under way differ by a few.
    BOOST_CHECK_LE(daemon.open_descriptors(), descriptors + containers * 8);
    // Each has its history (128 KiB at most) and a log.
    BOOST_CHECK_LE(bytes_below(daemon.directory() / "data/containers"),
                   containers * (160U << 10) + static_cast<unsigned>(wanted) * 100U);
}

BOOST_AUTO_TEST_CASE(a_flood_without_newlines_is_cut_and_rotated) {
    const Daemon daemon(R"(version = 1
[container.flood]
command = ["/bin/sh", "-c", "tr '\\0' x < /dev/zero"]
stop_grace_period = "0s"
[container.flood.logging]
max_size = "1m"
max_files = 3
)");
    BOOST_REQUIRE(daemon.reaches("flood", "running"));
    const std::string id = daemon.inspect("flood").at("id");
    const fs::path log = daemon.directory() / "data/containers" / id / "log";
    const auto newest = [&] {
        int highest = 0;
        std::error_code none;  // before its first line
        for (const auto& entry : fs::directory_iterator(log, none))
            highest = std::max(highest, std::atoi(entry.path().filename().c_str()));
        return highest;
    };
    BOOST_REQUIRE(eventually([&] { return newest() >= 8; }));
    const std::size_t rss = daemon.rss_kib();
    BOOST_REQUIRE(eventually([&] { return newest() >= 40; }, 90s));
    BOOST_CHECK_LE(daemon.rss_kib(), rss + 512);
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "flood"}).status, 0);
    BOOST_CHECK_LE(bytes_below(log), (3U << 20) + (128U << 10));
}

BOOST_AUTO_TEST_CASE(five_thousand_clients_that_say_nothing_keep_nobody_out) {
    constexpr int many = 5000;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const Daemon daemon(
        "version = 1\n[container.web]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"KILL\"\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const std::size_t descriptors = daemon.open_descriptors();
    std::vector<UniqueFd> silent;
    for (int i = 0; i < many; ++i) {
        silent.push_back(connect_to(daemon));
        const std::string some = "GET /v1/vers";
        if (i % 3 == 0) ::send(silent.back().get(), some.data(), some.size(), MSG_NOSIGNAL);
        if (i % 1000 == 999)
            BOOST_CHECK_EQUAL(daemon.api("GET", "/v1/version", "", 30s).status, 200);
    }
    BOOST_CHECK_EQUAL(daemon.ctl({"ps"}, 30s).status, 0);
    BOOST_CHECK_LE(daemon.open_descriptors(), descriptors + 1024 + 8);
    BOOST_CHECK_LT(daemon.rss_kib(), 64U << 10);
    silent.clear();
    BOOST_CHECK(eventually([&] { return daemon.open_descriptors() <= descriptors + 2; }));
}

// Else a thousand ends at once would keep its loop waiting for a processor.
BOOST_AUTO_TEST_CASE(mydockerd_comes_before_all_that_it_runs) {
    const Directory directory;
    const std::string hook = (directory / "hook").string();
    const Daemon daemon(
        "[container.web]\ncommand = [\"sleep\", \"1000\"]\n[container.bad]\ncommand = "
        "[\"false\"]\nrestart = { policy = \"on-failure\", attempts = 1, delay = "
        "\"1ms\", on_failure = [\"cp\", \"/proc/self/autogroup\", \"" +
        hook + "\"] }\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_REQUIRE(daemon.reaches("bad", "failed"));
    const auto group = [](pid_t pid) {
        return read_file("/proc/" + std::to_string(pid) + "/autogroup");
    };
    if (group(::getpid()).empty()) return;  // CONFIG_SCHED_AUTOGROUP
    BOOST_TEST(contains(group(daemon.pid()), "nice -20"));
    BOOST_TEST(contains(group(daemon.inspect("web").at("pid")), "nice 0"));
    BOOST_TEST(eventually([&] { return contains(read_file(hook), "nice 0"); }));
    // Whoever starts it keeps theirs.
    BOOST_TEST(!contains(group(daemon.keeper()), "nice -20"));
}

// Who is being served stays; one more is told so instead of waiting for ever.
BOOST_AUTO_TEST_CASE(beyond_what_can_be_served_there_is_an_answer) {
    const Daemon daemon(
        "version = 1\n[container.web]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"KILL\"\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    std::vector<UniqueFd> waiting;
    const std::string wait = "POST /v1/containers/web/wait HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
    for (int i = 0; i < 1024; ++i) {
        waiting.push_back(connect_to(daemon));
        ::send(waiting.back().get(), wait.data(), wait.size(), MSG_NOSIGNAL);
    }
    Daemon::Reply refused;
    BOOST_CHECK(eventually([&] {
        refused = daemon.api("GET", "/v1/version", "", 5s);
        return refused.status == 503;
    }));
    BOOST_CHECK_MESSAGE(contains(refused.body, "1024 clients"), refused.body);
    waiting.pop_back();
    BOOST_CHECK(eventually([&] { return daemon.api("GET", "/v1/version").status == 200; }));
}

BOOST_AUTO_TEST_SUITE_END()
