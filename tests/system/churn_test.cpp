// Nothing is left: after hundreds of runs, one by one and fifty at once, the host is what it was
// before, to the byte of its mount table, and mydockerd holds no more than it did.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/workload.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// What could leak, outside and inside of mydockerd.
struct Footprint {
    std::string mounts;
    std::vector<std::string> cgroups;
    std::vector<pid_t> children;  // of mydockerd: the zygote, and zombies if any are left
    std::size_t descriptors = 0;
    std::size_t zygote_descriptors = 0;
    std::ptrdiff_t stored = 0;  // directories of containers
    bool operator==(const Footprint&) const = default;
};

std::ptrdiff_t entries(const fs::path& directory) {
    return std::distance(fs::directory_iterator(directory), fs::directory_iterator());
}

Footprint footprint_of(const Daemon& daemon, const fs::path& cgroup) {
    Footprint found;
    found.mounts = host_mounts();
    found.cgroups = cgroups_below(cgroup);
    found.children = children_of(daemon.pid());
    found.descriptors = daemon.open_descriptors();
    for (const pid_t child : found.children) {
        const fs::path directory = "/proc/" + std::to_string(child) + "/fd";
        if (executable_of(child).filename().string().starts_with("memfd:mydocker-init"))
            found.zygote_descriptors = static_cast<std::size_t>(entries(directory));
    }
    found.stored = entries(daemon.directory() / "data/containers");
    return found;
}

void check_same(const Daemon& daemon, const fs::path& cgroup, const Footprint& before) {
    // The last reply may come before the last descriptor is closed.
    eventually([&] { return footprint_of(daemon, cgroup) == before; }, 10s);
    const Footprint after = footprint_of(daemon, cgroup);
    BOOST_CHECK_EQUAL(after.mounts, before.mounts);
    BOOST_CHECK_EQUAL_COLLECTIONS(after.cgroups.begin(), after.cgroups.end(),
                                  before.cgroups.begin(), before.cgroups.end());
    BOOST_CHECK_EQUAL_COLLECTIONS(after.children.begin(), after.children.end(),
                                  before.children.begin(), before.children.end());
    BOOST_CHECK_EQUAL(after.descriptors, before.descriptors);
    BOOST_CHECK_EQUAL(after.zygote_descriptors, before.zygote_descriptors);
    BOOST_CHECK_EQUAL(after.stored, before.stored);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(churn)

BOOST_AUTO_TEST_CASE(two_hundred_runs_in_a_row_leave_nothing) {
    const Daemon daemon;
    const fs::path cgroup = daemon.cgroup();
    BOOST_REQUIRE(!cgroup.empty());
    const json container = {{"command", {"/bin/sh", "-c", "echo a line; exit 7"}},
                            {"mem_limit", "64m"},
                            {"pids_limit", 10}};
    const auto run_once = [&] {
        const Result result = run_to_end(daemon, container);
        BOOST_REQUIRE_EQUAL(result.status, 7);
        BOOST_REQUIRE_EQUAL(result.out, "a line\n");
    };
    for (int i = 0; i < 20; ++i) run_once();
    BOOST_REQUIRE(eventually([&] { return footprint_of(daemon, cgroup).stored == 0; }));
    const Footprint before = footprint_of(daemon, cgroup);
    BOOST_CHECK_EQUAL(before.cgroups.size(), 0U);
    BOOST_CHECK_EQUAL(before.children.size(), 1U);  // the zygote
    const std::size_t rss = daemon.rss_kib();
    for (int i = 0; i < 200; ++i) run_once();
    check_same(daemon, cgroup, before);
    // Its journal of events is a ring of 4096 that these runs begin to fill: some 3 KiB a run.
    BOOST_CHECK_LE(daemon.rss_kib(), rss + 1024);
}

// They all read one pipe, so all fifty run until it is opened for writing.
BOOST_AUTO_TEST_CASE(fifty_at_once_leave_nothing) {
    const Daemon daemon("version = 1\n[daemon]\nmax_concurrent_starts = 50\n");
    const fs::path cgroup = daemon.cgroup();
    const fs::path gate = daemon.directory() / "gate";
    fs::create_directory(gate);
    BOOST_REQUIRE_EQUAL(::mkfifo((gate / "pipe").c_str(), 0600), 0);
    const json container = {{"command", {"/bin/sh", "-c", "read line < /gate/pipe; exit 7"}},
                            {"volumes", {gate.string() + ":/gate"}},
                            {"mem_limit", "64m"}};
    // The first log opens what all logs share.
    BOOST_REQUIRE_EQUAL(run_to_end(daemon, {{"command", {"true"}}}).status, 0);
    BOOST_REQUIRE(eventually([&] { return footprint_of(daemon, cgroup).stored == 0; }));
    const Footprint before = footprint_of(daemon, cgroup);
    std::vector<Result> results(50);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < results.size(); ++i)
        threads.emplace_back(
            [&, i] { results[i] = run_to_end(daemon, container, "c" + std::to_string(i)); });
    const auto running = [&] {
        const auto info = json::parse(daemon.api("GET", "/v1/info").body, nullptr, false);
        return info.is_object() ? info["containers"].value("running", 0) : 0;
    };
    const bool all = eventually([&] { return running() == 50; }, 120s);
    const std::string mounts = host_mounts();
    const std::size_t cgroups = cgroups_below(cgroup).size();
    // Opened both ways it does not wait for a reader; each of the fifty reads one line.
    const int pipe = ::open((gate / "pipe").c_str(), O_RDWR | O_CLOEXEC);
    BOOST_CHECK_EQUAL(::write(pipe, std::string(50, '\n').data(), 50), 50);
    for (std::thread& thread : threads) thread.join();
    ::close(pipe);
    BOOST_CHECK(all);
    BOOST_CHECK_EQUAL(mounts, before.mounts);
    BOOST_CHECK_EQUAL(cgroups, 50U);
    for (const Result& result : results) {
        BOOST_CHECK_EQUAL(result.status, 7);
        BOOST_CHECK_EQUAL(result.err, "");
    }
    check_same(daemon, cgroup, before);
}

BOOST_AUTO_TEST_CASE(runs_from_the_command_line_remove_themselves) {
    const Daemon daemon;
    const fs::path cgroup = daemon.cgroup();
    BOOST_CHECK_EQUAL(daemon.ctl({"run", "--rm", "true"}).status, 0);
    BOOST_REQUIRE(eventually([&] { return footprint_of(daemon, cgroup).stored == 0; }));
    const Footprint before = footprint_of(daemon, cgroup);
    for (int i = 0; i < 10; ++i) {
        const Result result = daemon.ctl({"run", "--rm", "/bin/sh", "-c", "echo line; exit 7"});
        BOOST_CHECK_EQUAL(result.status, 7);
        BOOST_CHECK_EQUAL(result.out, "line\n");
        BOOST_CHECK_EQUAL(result.err, "");
    }
    check_same(daemon, cgroup, before);
    BOOST_CHECK_EQUAL(daemon.ctl({"ps", "-a", "-q"}).out, "");
}

// Descriptors, mounts and cgroups of a start that failed half-way are given back as well.
BOOST_AUTO_TEST_CASE(failed_starts_leave_nothing) {
    const Daemon daemon;
    const fs::path cgroup = daemon.cgroup();
    const std::vector<json> containers = {
        {{"command", {"/no/such/program"}}, {"volumes", {"/etc:/mnt"}}},
        {{"command", {"true"}}, {"volumes", {"/etc:/mnt", "/no/such/source:/srv"}}},
        {{"command", {"true"}}, {"rootfs", "/no/such/root"}},
        {{"command", {"true"}}, {"cpuset", "7"}},
        {{"command", {"true"}}, {"working_dir", "/etc/passwd"}}};
    for (const json& container : containers)
        BOOST_REQUIRE_GE(run_to_end(daemon, container).status, 125);
    const Footprint before = footprint_of(daemon, cgroup);
    BOOST_CHECK_EQUAL(before.cgroups.size(), 0U);
    BOOST_CHECK_EQUAL(before.children.size(), 1U);
    for (int i = 0; i < 10; ++i)
        for (const json& container : containers)
            BOOST_REQUIRE_GE(run_to_end(daemon, container).status, 125);
    check_same(daemon, cgroup, before);
}

BOOST_AUTO_TEST_SUITE_END()
