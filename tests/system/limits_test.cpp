// Limits as the kernel has them: what is configured is what stands in the cgroup, it holds for
// every process inside, and a reload changes it under a running workload or not at all.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;

namespace {

std::string sleeping(const std::string& name, const std::string& keys) {
    return "[container." + name + "]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"KILL\"\n" +
           keys + "\n";
}

fs::path cgroup_of(const Daemon& daemon, const std::string& container) {
    return daemon.inspect(container).value("cgroup", "");
}

std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

// CPU seconds a second that the cgroup used over that long.
double cpu_use(const fs::path& cgroup, std::chrono::milliseconds length) {
    const auto used = [&] { return flat_value_of(read_file(cgroup / "cpu.stat"), "usage_usec"); };
    const auto begin = std::chrono::steady_clock::now();
    const auto before = used();
    std::this_thread::sleep_for(length);
    const auto after = used();
    const std::chrono::duration<double, std::micro> wall = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(after - before) / wall.count();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(the_kernel_has_what_was_configured) {
    struct Row {
        std::string keys;
        std::vector<std::pair<std::string, std::string>> files;
    };
    const std::vector<Row> rows = {
        {"",
         {{"memory.max", "max"},
          {"memory.high", "max"},
          {"memory.oom.group", "0"},
          {"cpu.max", "max 100000"},
          {"cpu.weight", "100"},
          {"cpuset.cpus", ""},
          {"cpuset.cpus.effective", "0-1"},
          {"pids.max", "max"}}},
        // Docker's default for swap: as much again as memory.
        {"mem_limit = \"50m\"\nmem_high = \"40m\"\ncpus = 0.5\ncpu_shares = 1024\ncpuset = \"1\"\n"
         "pids_limit = 100\noom_policy = \"kill\"",
         {{"memory.max", "52428800"},
          {"memory.high", "41943040"},
          {"memory.swap.max", "52428800"},
          {"memory.oom.group", "1"},
          {"cpu.max", "50000 100000"},
          {"cpu.weight", "39"},
          {"cpuset.cpus", "1"},
          {"cpuset.cpus.effective", "1"},
          {"pids.max", "100"}}},
        {"mem_limit = \"50m\"\nmemswap_limit = \"70m\"\ncpus = 1.5\ncpu_shares = 2\n"
         "cpuset = \"0-1\"\npids_limit = -1",
         {{"memory.swap.max", "20971520"},
          {"cpu.max", "150000 100000"},
          {"cpu.weight", "1"},
          {"cpuset.cpus", "0-1"},
          {"pids.max", "max"}}},
        {"mem_limit = \"1g\"\nmemswap_limit = -1\ncpus = 0.01\ncpu_shares = 262144\ncpuset = \"0\"",
         {{"memory.max", "1073741824"},
          {"memory.swap.max", "max"},
          {"cpu.max", "1000 100000"},
          {"cpu.weight", "10000"},
          {"cpuset.cpus", "0"}}},
        {"mem_limit = \"50m\"\nmemswap_limit = \"50m\"\ncpu_shares = 8000",
         {{"memory.swap.max", "0"}, {"cpu.weight", "306"}}}};
    std::string toml = "version = 1\n";
    for (std::size_t i = 0; i < rows.size(); ++i)
        toml += sleeping("c" + std::to_string(i), rows[i].keys);
    const Daemon daemon(toml);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string name = "c" + std::to_string(i);
        BOOST_REQUIRE(daemon.reaches(name, "running"));
        const auto shown = daemon.inspect(name);
        const fs::path cgroup = shown.at("cgroup").get<std::string>();
        for (const auto& [file, value] : rows[i].files)
            BOOST_CHECK_MESSAGE(
                trimmed(read_file(cgroup / file)) == value,
                name << ": " << file << " is " << read_file(cgroup / file) << ", not " << value);
        // And what inspect tells is what the kernel has.
        for (const auto& limit : shown.at("limits"))
            BOOST_CHECK_EQUAL(trimmed(read_file(cgroup / limit.at("file").get<std::string>())),
                              limit.at("value").get<std::string>());
    }
}

BOOST_AUTO_TEST_CASE(the_command_lines_words_reach_the_kernel) {
    const Daemon daemon;
    const Result result =
        daemon.ctl({"run", "-d", "--name", "book", "--cpushare", "8000", "--cpuset", "0-1", "-m",
                    "50m", "/usr/bin/stress", "--vm-bytes", "30m", "--vm-keep", "--vm", "1"});
    BOOST_REQUIRE_EQUAL(result.status, 0);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("book", "cpu.weight"), "306");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("book", "cpuset.cpus"), "0-1");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("book", "memory.max"), "52428800");
    BOOST_CHECK_EQUAL(daemon.state("book"), "running");
}

BOOST_AUTO_TEST_CASE(busy_loops_get_their_share_of_a_cpu_and_no_more) {
    const Daemon daemon(R"(version = 1
[container.one]
command = ["/bin/sh", "-c", "while :; do :; done"]
cpus = 0.2
cpuset = "0"
[container.forked]
command = ["/bin/sh", "-c", "(while :; do :; done) & while :; do :; done"]
cpus = 0.2
cpuset = "1"
)");
    BOOST_REQUIRE(daemon.reaches("one", "running"));
    BOOST_REQUIRE(daemon.reaches("forked", "running"));
    double forked = 0;
    const fs::path other = cgroup_of(daemon, "forked");
    std::thread measurement([&] { forked = cpu_use(other, 6s); });
    const double one = cpu_use(cgroup_of(daemon, "one"), 6s);
    measurement.join();
    BOOST_CHECK_GE(one, 0.2 * 0.85);
    BOOST_CHECK_LE(one, 0.2 * 1.15);
    BOOST_CHECK_GE(forked, 0.2 * 0.85);
    BOOST_CHECK_LE(forked, 0.2 * 1.15);
}

BOOST_AUTO_TEST_CASE(a_cpuset_is_where_the_workload_may_run) {
    const Daemon daemon;
    for (const std::string cpus : {"0", "1", "0-1"}) {
        const Result result =
            daemon.ctl({"run", "--rm", "--cpuset-cpus", cpus, "cat", "/proc/self/status"});
        BOOST_CHECK_EQUAL(field_of(result.out, "Cpus_allowed_list"), cpus);
    }
}

BOOST_AUTO_TEST_CASE(a_fork_bomb_is_held_by_its_limit_and_stopped_in_time) {
    const Daemon daemon(R"(version = 1
[container.bomb]
command = ["/bin/sh", "-c", "(bomb() { bomb | bomb & }; bomb) & exec sleep 1000"]
pids_limit = 40
)");
    BOOST_REQUIRE(daemon.reaches("bomb", "running"));
    const fs::path cgroup = cgroup_of(daemon, "bomb");
    BOOST_REQUIRE(
        eventually([&] { return flat_value_of(read_file(cgroup / "pids.events"), "max") > 0; }));
    for (int sample = 0; sample < 20; ++sample) {
        BOOST_CHECK_LE(processes_in(cgroup).size(), 40U);
        BOOST_CHECK_LE(std::stoi(read_file(cgroup / "pids.current")), 40);
        std::this_thread::sleep_for(20ms);
    }
    BOOST_CHECK_EQUAL(daemon.state("bomb"), "running");
    const auto begin = std::chrono::steady_clock::now();
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "--timeout", "2", "bomb"}).status, 0);
    const auto took = std::chrono::steady_clock::now() - begin;
    BOOST_CHECK_LT(std::chrono::duration<double>(took).count(), 30.0);
    BOOST_CHECK_EQUAL(daemon.state("bomb"), "exited");
    BOOST_CHECK(!fs::exists(cgroup));
}

BOOST_AUTO_TEST_CASE(a_reload_changes_limits_under_a_running_workload) {
    const Daemon daemon("version = 1\n" +
                        sleeping("web", "mem_limit = \"64m\"\npids_limit = 50\ncpus = 0.5"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const auto before = daemon.inspect("web");
    daemon.write_host_file("version = 1\n" +
                           sleeping("web",
                                    "mem_limit = \"96m\"\ncpus = 1.0\ncpuset = \"0\"\n"
                                    "oom_policy = \"kill\""));
    const Result result = daemon.ctl({"reload"});
    BOOST_CHECK_EQUAL(result.status, 0);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "memory.max"), "100663296");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "memory.swap.max"), "100663296");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "memory.oom.group"), "1");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "pids.max"), "max");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "cpu.max"), "100000 100000");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "cpuset.cpus"), "0");
    const auto after = daemon.inspect("web");
    BOOST_CHECK_EQUAL(after.at("pid"), before.at("pid"));
    BOOST_CHECK_EQUAL(after.at("attempt"), 1);
    // Lifted again, each goes back to the kernel's default; a cpuset to all there are.
    daemon.write_host_file("version = 1\n" + sleeping("web", ""));
    BOOST_CHECK_EQUAL(daemon.ctl({"reload"}).status, 0);
    for (const auto& [file, value] :
         std::vector<std::pair<std::string, std::string>>{{"memory.max", "max"},
                                                          {"memory.swap.max", "max"},
                                                          {"memory.oom.group", "0"},
                                                          {"cpu.max", "max 100000"},
                                                          {"cpuset.cpus", "0-1"}})
        BOOST_CHECK_EQUAL(daemon.cgroup_file("web", file), value);
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("pid"), before.at("pid"));
}

// The memory limit comes first and would be taken; the cpuset is refused: neither may stay.
BOOST_AUTO_TEST_CASE(a_refused_limit_leaves_all_as_it_was) {
    const Daemon daemon("version = 1\n" + sleeping("web", "mem_limit = \"64m\"\ncpuset = \"0\""));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const auto before = daemon.inspect("web");
    daemon.write_host_file("version = 1\n" +
                           sleeping("web", "mem_limit = \"96m\"\ncpuset = \"0-5\""));
    const Result result = daemon.ctl({"reload"});
    BOOST_CHECK_NE(result.status, 0);
    const std::string said = result.out + result.err;
    for (const char* part : {"web", "cpuset", "0-5"})
        BOOST_CHECK_MESSAGE(said.find(part) != std::string::npos, part << " in: " << said);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "memory.max"), "67108864");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "memory.swap.max"), "67108864");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "cpuset.cpus"), "0");
    const auto after = daemon.inspect("web");
    BOOST_CHECK_EQUAL(after.at("pid"), before.at("pid"));
    BOOST_CHECK_EQUAL(after.at("state"), "running");
    BOOST_CHECK_EQUAL(after.at("limits"), before.at("limits"));
    // The file is still the one to follow once it is put right.
    daemon.write_host_file("version = 1\n" +
                           sleeping("web", "mem_limit = \"96m\"\ncpuset = \"1\""));
    BOOST_CHECK_EQUAL(daemon.ctl({"reload"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "memory.max"), "100663296");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "cpuset.cpus"), "1");
}

BOOST_AUTO_TEST_SUITE_END()
