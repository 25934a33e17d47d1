// The init is really blocked: with its release held back, a process stands in the right cgroup with
// its limits set and has run nothing of the user's; only a whole plan, ended by EOF, releases it.
// Once through mydockerd's pre-arming, and once with the runtime's own parts.
#include <poll.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/box.hpp"
#include "runtime/exit_status.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;
namespace runtime = mydocker::runtime;

namespace {

std::string in_proc(pid_t pid, const char* name) {
    return "/proc/" + std::to_string(pid) + "/" + name;
}

// Everything that a look from outside can tell of an init that waits for its plan.
void check_blocked(pid_t pid, const fs::path& cgroup) {
    BOOST_CHECK(executable_of(pid).filename().string().starts_with("memfd:mydocker-init"));
    const std::vector<pid_t> inside = processes_in(cgroup);
    BOOST_REQUIRE_EQUAL(inside.size(), 1U);
    BOOST_CHECK_EQUAL(inside.front(), pid);
    BOOST_CHECK(status_field(pid, "State").starts_with("S"));
    const std::string where = read_file(in_proc(pid, "wchan"));
    BOOST_CHECK_MESSAGE(where.find("pipe_read") != std::string::npos, "it waits in " << where);
    BOOST_CHECK_EQUAL(status_field(pid, "NSpid"), std::to_string(pid) + "\t1");
    // Its root is the zygote's empty one: neither the host's nor the container's.
    BOOST_CHECK(!fs::exists(in_proc(pid, "root/usr")));
    BOOST_CHECK_EQUAL(lines_of(read_file(in_proc(pid, "mountinfo"))).size(), 1U);
    for (const char* space : {"ns/mnt", "ns/pid", "ns/uts", "ns/ipc", "ns/net"})
        BOOST_CHECK_NE(link_text(in_proc(pid, space)), link_text(in_proc(getpid(), space)));
}

// A directory for what a workload leaves behind, gone with the test.
class Scratch {
public:
    Scratch() {
        char pattern[] = "/run/mydocker-scratch-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(pattern) != nullptr);
        path_ = pattern;
    }
    ~Scratch() {
        std::error_code error;
        fs::remove_all(path_, error);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    fs::path operator/(const char* name) const { return path_ / name; }
    std::string string() const { return path_; }

private:
    fs::path path_;
};

// One blocked init, made by the runtime alone.
class Blocked {
public:
    Blocked() {
        runtime::Spec spec;
        spec.process.args = {"touch", "/out/effect"};
        spec.process.capabilities = ~std::uint64_t{0} >> 23;
        spec.root = {.path = "/", .upper = scratch / "upper", .work = scratch / "work"};
        spec.hostname = "blocked";
        spec.mounts = {{.source = scratch.string(), .target = "/out"}};
        spec.limits.memory_max = 64U << 20;
        spec.limits.pids_max = 7;
        box.emplace(tree, "blocked-init-test", spec, runtime::Cgroup::Options{});
        box->clone_init(zygote, 42);
        pollfd wait{zygote.fd(), POLLIN, 0};
        BOOST_REQUIRE_EQUAL(::poll(&wait, 1, 30'000), 1);
        auto answer = zygote.receive();
        BOOST_REQUIRE(answer && answer->error == 0);
        BOOST_CHECK_EQUAL(answer->id, 42U);
        pid = answer->pid;
        pidfd = std::move(answer->pidfd);
    }

    bool ran() const { return fs::exists(scratch / "effect"); }

    // Ends the plan pipe after these bytes, and waits for the init's end.
    runtime::ExitStatus release(const std::string& bytes) {
        BOOST_REQUIRE_EQUAL(::write(box->handshake.plan_write.get(), bytes.data(), bytes.size()),
                            static_cast<ssize_t>(bytes.size()));
        std::this_thread::sleep_for(100ms);
        BOOST_CHECK(!runtime::peek_exit(pidfd.get()));  // bytes alone release nothing
        BOOST_CHECK(!ran());
        box->handshake.plan_write.reset();
        BOOST_REQUIRE(eventually([&] { return runtime::peek_exit(pidfd.get()).has_value(); }));
        const auto status = runtime::peek_exit(pidfd.get()).value();
        runtime::reap(pidfd.get());
        return status;
    }

    // What it said on its report pipe before its end.
    mydocker::wire::StepFailure report() {
        mydocker::wire::StepFailure word{};
        BOOST_CHECK_EQUAL(::read(box->handshake.report_read.get(), &word, sizeof word),
                          ssize_t{sizeof word});
        return word;
    }

    Scratch scratch;
    runtime::CgroupTree tree{"/mydocker-blocked-init-test"};
    runtime::Zygote zygote{program("mydocker-init")};
    std::optional<runtime::Box> box;
    pid_t pid = 0;
    runtime::UniqueFd pidfd;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(blocked_init)

BOOST_AUTO_TEST_CASE(an_armed_container_has_a_process_that_has_run_nothing) {
    const Scratch scratch;
    const Daemon daemon(R"(version = 1
[container.web]
command = ["/bin/sh", "-c", "echo ran >> /out/effects; exit 3"]
volumes = [")" + scratch.string() +
                        R"(:/out"]
mem_limit = "64m"
pids_limit = 7
cpus = 0.5
restart = { policy = "on-failure", delay = "10m", max_delay = "10m", prearm = true }
)");
    BOOST_REQUIRE(daemon.reaches("web", "waiting"));
    BOOST_REQUIRE(eventually([&] { return daemon.inspect("web").value("pid", 0) != 0; }));
    const auto shown = daemon.inspect("web");
    const pid_t pid = shown.at("pid");
    const fs::path cgroup = shown.at("cgroup").get<std::string>();
    BOOST_REQUIRE(eventually([&] { return processes_in(cgroup).size() == 1; }));
    std::this_thread::sleep_for(1s);
    check_blocked(pid, cgroup);
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "memory.max"), "67108864");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "pids.max"), "7");
    BOOST_CHECK_EQUAL(daemon.cgroup_file("web", "cpu.max"), "50000 100000");
    BOOST_CHECK_EQUAL(read_file(scratch / "effects"), "ran\n");  // the first attempt's
    BOOST_CHECK_EQUAL(daemon.state("web"), "waiting");
    const Result explained = daemon.ctl({"explain", "web"});
    BOOST_CHECK_MESSAGE(explained.out.find("stands ready") != std::string::npos, explained.out);

    // Stopped, it ends without having run.
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "web"}).status, 0);
    BOOST_CHECK(!fs::exists(in_proc(pid, "")));
    BOOST_CHECK(!fs::exists(cgroup));
    BOOST_CHECK_EQUAL(read_file(scratch / "effects"), "ran\n");
}

BOOST_AUTO_TEST_CASE(at_the_deadline_the_very_same_process_becomes_the_workload) {
    const Scratch scratch;
    const Daemon daemon(R"(version = 1
[container.web]
command = ["/bin/sh", "-c",
           "[ -e /out/crashed ] && exec sleep 1000; touch /out/crashed; exit 3"]
stop_signal = "KILL"
volumes = [")" + scratch.string() +
                        R"(:/out"]
restart = { policy = "on-failure", delay = "6s", jitter = 0.0, prearm = true }
)");
    BOOST_REQUIRE(daemon.reaches("web", "waiting"));
    BOOST_REQUIRE(eventually([&] { return daemon.inspect("web").value("pid", 0) != 0; }));
    const auto armed = daemon.inspect("web");
    BOOST_REQUIRE_EQUAL(armed.at("state"), "waiting");
    const pid_t pid = armed.at("pid");
    BOOST_CHECK(executable_of(pid).filename().string().starts_with("memfd:mydocker-init"));
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("pid"), pid);
    BOOST_CHECK_EQUAL(daemon.inspect("web").at("attempt"), 2);
    BOOST_CHECK(eventually([&] { return executable_of(pid).filename() == "sleep"; }));
}

BOOST_AUTO_TEST_CASE(the_runtimes_init_waits_for_as_long_as_it_is_not_released) {
    Blocked blocked;
    std::this_thread::sleep_for(500ms);
    check_blocked(blocked.pid, blocked.box->cgroup.path());
    BOOST_CHECK_EQUAL(read_file(blocked.box->cgroup.path() / "memory.max"), "67108864\n");
    BOOST_CHECK_EQUAL(read_file(blocked.box->cgroup.path() / "pids.max"), "7\n");
    BOOST_CHECK(!blocked.ran());
    BOOST_CHECK_EQUAL(status_field(blocked.pid, "PPid"), std::to_string(getpid()));
    const auto status = blocked.release(runtime::encode(blocked.box->handshake.plan));
    BOOST_CHECK(!status.signaled);
    BOOST_CHECK_EQUAL(status.number, 0);
    BOOST_CHECK(blocked.ran());
}

BOOST_AUTO_TEST_CASE(anything_but_a_whole_plan_ends_the_init_and_runs_nothing) {
    using Cut = std::string (*)(std::string);
    const std::vector<std::pair<const char*, Cut>> cuts = {
        {"nothing", [](std::string) { return std::string(); }},
        {"half a header", [](std::string whole) { return whole.substr(0, 8); }},
        {"half", [](std::string whole) { return whole.substr(0, whole.size() / 2); }},
        {"all but a byte", [](std::string whole) { return whole.substr(0, whole.size() - 1); }},
        {"a byte too many", [](std::string whole) { return whole + '\0'; }},
        {"another's magic", [](std::string whole) { return "x" + whole.substr(1); }}};
    for (const auto& [what, cut] : cuts) {
        BOOST_TEST_CONTEXT(what) {
            Blocked blocked;
            const auto status = blocked.release(cut(runtime::encode(blocked.box->handshake.plan)));
            BOOST_CHECK(!status.signaled);
            BOOST_CHECK_EQUAL(status.number, 127);
            const auto word = blocked.report();
            BOOST_CHECK_EQUAL(word.error, EPROTO);
            BOOST_CHECK_EQUAL(runtime::explain(blocked.box->handshake.plan, word, false).text,
                              "read the plan: Protocol error");
            BOOST_CHECK(!blocked.ran());
        }
    }
}

// Sixteen times what a pipe holds: the write goes on while the loop answers others.
BOOST_AUTO_TEST_CASE(a_megabyte_of_environment_arrives_whole) {
    const Daemon daemon;
    nlohmann::json environment;
    std::size_t size = 0;
    for (int i = 10; i < 26; ++i) {
        const std::string name = "BIG" + std::to_string(i);
        environment[name] = std::string(64 << 10, static_cast<char>('a' + i - 10));
        size += name.size() + 1 + (64 << 10) + 1;
    }
    const nlohmann::json request = {
        {"name", "big"},
        {"container",
         {{"command", {"/bin/sh", "-c", "env | grep ^BIG | sort | tee /dev/stderr | wc -c"}},
          {"environment", environment}}}};
    BOOST_REQUIRE_EQUAL(daemon.api("POST", "/v1/containers", request.dump()).status, 201);
    BOOST_REQUIRE_EQUAL(daemon.api("POST", "/v1/containers/big/start").status, 200);
    BOOST_REQUIRE(daemon.reaches("big", "exited"));
    const Result log = daemon.ctl({"logs", "big"});
    BOOST_CHECK_EQUAL(log.out, std::to_string(size) + "\n");
    std::string expected;
    for (const auto& [name, value] : environment.items())
        expected += name + "=" + value.get<std::string>() + "\n";
    BOOST_CHECK(log.err == expected);
}

BOOST_AUTO_TEST_CASE(arguments_go_up_to_the_kernels_limit_and_beyond_it_the_error_is_clear) {
    const Daemon daemon;
    // MAX_ARG_STRLEN is 128 KiB with its NUL; all together a quarter of the stack's limit (2 MiB).
    const std::string longest((128 << 10) - 1, 'x');
    const auto start = [&](const std::string& name, const std::string& argument, int count) {
        std::vector<std::string> command{"/bin/sh", "-c", "printf '%s' \"$*\" | wc -c", "sh"};
        command.insert(command.end(), static_cast<std::size_t>(count), argument);
        const nlohmann::json request = {{"name", name}, {"container", {{"command", command}}}};
        BOOST_REQUIRE_EQUAL(daemon.api("POST", "/v1/containers", request.dump()).status, 201);
        return daemon.api("POST", "/v1/containers/" + name + "/start");
    };
    BOOST_CHECK_EQUAL(start("most", longest, 15).status, 200);
    BOOST_CHECK_EQUAL(daemon.ctl({"wait", "most"}).out, "0\n");
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "most"}).out,
                      std::to_string(15 * longest.size() + 14) + "\n");
    for (const auto& [name, argument, count] :
         {std::tuple{"string", longest + "x", 1}, std::tuple{"sum", longest, 17}}) {
        const Daemon::Reply reply = start(name, argument, count);
        BOOST_CHECK_EQUAL(reply.status, 500);
        const auto error = nlohmann::json::parse(reply.body);
        BOOST_CHECK_EQUAL(error.at("exit_code"), 126);
        const std::string text = error.at("error");
        const std::string expected =
            std::string(name) + ": execute /bin/sh: Argument list too long (";
        BOOST_CHECK_MESSAGE(text.starts_with(expected), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
