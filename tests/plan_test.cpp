// The init's plan: its golden text for a minimal and a full container (plans/*.plan), its way
// through the pipe, and what is said when one of its steps fails.
#include "runtime/plan.hpp"

#include <linux/mount.h>
#include <linux/sched.h>

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "tests/scratch.hpp"

using namespace mydocker;
using namespace mydocker::runtime;
using wire::Op;

namespace {

std::string name(Op op) {
    switch (op) {
        case Op::set_hostname: return "set_hostname";
        case Op::loopback_up: return "loopback_up";
        case Op::private_mounts: return "private_mounts";
        case Op::attach_root: return "attach_root";
        case Op::enter_root: return "enter_root";
        case Op::mount: return "mount";
        case Op::attach: return "attach";
        case Op::device: return "device";
        case Op::symlink: return "symlink";
        case Op::join: return "join";
        case Op::console: return "console";
        case Op::terminal: return "terminal";
        case Op::mask: return "mask";
        case Op::read_only: return "read_only";
        case Op::seal_root: return "seal_root";
        case Op::oom_score_adj: return "oom_score_adj";
        case Op::rlimit: return "rlimit";
        case Op::work_dir: return "work_dir";
        case Op::bounding: return "bounding";
        case Op::groups: return "groups";
        case Op::user: return "user";
        case Op::capabilities: return "capabilities";
        case Op::no_new_privs: return "no_new_privs";
        case Op::reaper: return "reaper";
        case Op::arguments: return "arguments";
        case Op::environment: return "environment";
        case Op::execute: return "execute";
    }
    return "?";
}

std::string in_base(const char* format, std::uint64_t value) {
    char text[32];
    std::snprintf(text, sizeof text, format, static_cast<unsigned long>(value));
    return text;
}

std::string attributes(std::uint64_t value) {
    std::string text;
    for (const auto& [bit, word] : std::initializer_list<std::pair<std::uint64_t, const char*>>{
             {MOUNT_ATTR_RDONLY, "ro"},
             {MOUNT_ATTR_NOSUID, "nosuid"},
             {MOUNT_ATTR_NODEV, "nodev"},
             {MOUNT_ATTR_NOEXEC, "noexec"}}) {
        if ((value & bit) != 0) text += (text.empty() ? "" : ",") + std::string(word);
        value &= ~bit;
    }
    BOOST_TEST(value == 0U);  // or this printer hides something
    return text.empty() ? "-" : text;
}

std::string namespaces(std::uint64_t value) {
    std::string text;
    for (const auto& [bit, word] :
         std::initializer_list<std::pair<std::uint64_t, const char*>>{{CLONE_NEWNS, "mnt"},
                                                                      {CLONE_NEWUTS, "uts"},
                                                                      {CLONE_NEWIPC, "ipc"},
                                                                      {CLONE_NEWCGROUP, "cgroup"},
                                                                      {CLONE_NEWNET, "net"}}) {
        if ((value & bit) != 0) text += (text.empty() ? "" : ",") + std::string(word);
        value &= ~bit;
    }
    BOOST_TEST(value == 0U);
    return text;
}

// The numbers of a step, as its operation means them (wire.hpp).
std::string numbers(const PlanStep& step) {
    const auto decimal = [](std::uint64_t value) { return " " + std::to_string(value); };
    switch (step.op) {
        case Op::mount:
            return " " + attributes(step.a) + in_base(" %#lo", step.b) +
                   (step.c != 0 ? " through-symlinks" : "");
        case Op::attach: return decimal(step.a) + (step.b != 0 ? " directory" : " file");
        case Op::attach_root: return decimal(step.a);
        case Op::device: return in_base(" %#lo", step.a) + decimal(step.b) + decimal(step.c);
        case Op::oom_score_adj: return " " + std::to_string(static_cast<std::int64_t>(step.a));
        case Op::rlimit: return decimal(step.a) + decimal(step.b) + decimal(step.c);
        case Op::work_dir: return step.a != 0 ? " made" : "";
        case Op::join: return " " + namespaces(step.a);
        case Op::bounding: return in_base(" %#lx", step.a);
        case Op::user: return decimal(step.a) + decimal(step.b);
        case Op::capabilities: return in_base(" %#lx", step.a) + in_base(" %#lx", step.b);
        default: BOOST_TEST((step.a | step.b | step.c) == 0U); return "";
    }
}

std::string print(const Plan& plan) {
    std::string text;
    for (const PlanStep& step : plan) {
        text += name(step.op) + numbers(step);
        for (const std::string& word : step.texts) text += " '" + word + "'";
        text += '\n';
    }
    return text;
}

Spec minimal_spec() {
    Spec spec;
    spec.process.args = {"/bin/true"};
    spec.process.capabilities = 0xa80425fb;
    spec.hostname = "web";
    return spec;
}

Spec full_spec() {
    Spec spec;
    spec.process.args = {"server", "-c", "a b"};
    spec.process.env = {"PATH=/opt/bin::/bin:", "LANG=C"};
    spec.process.cwd = "/srv";
    spec.process.user = "1000:1000";
    spec.process.capabilities = 0x400;
    spec.process.ambient = 0x400;
    spec.process.rlimits = {{7, 1024, 2048}, {4, UINT64_MAX, UINT64_MAX}};
    spec.process.oom_score_adj = -500;
    spec.process.reaper = true;
    spec.root.path = "/srv/root";
    spec.root.read_only = true;
    spec.hostname = "db.example";
    spec.own_network = false;
    spec.shm_size = 1 << 20;
    using Kind = Mount::Kind;
    spec.mounts = {{Kind::bind, "/host/deep", "/data/deep", true, 0, 0},
                   {Kind::tmpfs, "", "/data", false, 64 << 20, 0750},
                   {Kind::bind, "/host/file", "/etc/conf", false, 0, 0},
                   {Kind::tmpfs, "", "/cache", false, 0, 01777}};
    return spec;
}

Plan full_plan() {
    return make_plan(full_spec(), {1000, 1000, {1000, 27}, "/home/me"}, {true, false});
}

void check_golden(const Plan& plan, const std::string& file) {
    const std::string path = MYDOCKER_SOURCE_DIR "/tests/plans/" + file;
    const std::string expected = tests::contents(path);
    BOOST_TEST(print(plan) == expected, path << " differs from:\n" << print(plan));
}

std::size_t index_of(const Plan& plan, Op op) {
    for (std::size_t i = 0; i < plan.size(); ++i)
        if (plan[i].op == op) return i;
    return plan.size();
}

// As the init reads it, init/child.cpp.
Plan decode(const std::string& bytes) {
    wire::PlanHeader header{};
    BOOST_REQUIRE(bytes.size() >= sizeof header);
    std::memcpy(&header, bytes.data(), sizeof header);
    BOOST_TEST(header.magic == wire::magic);
    BOOST_TEST(header.bytes == bytes.size());
    Plan plan;
    std::size_t at = sizeof header;
    for (std::uint32_t i = 0; i < header.steps; ++i) {
        wire::StepHeader step{};
        BOOST_REQUIRE(bytes.size() - at >= sizeof step);
        BOOST_TEST(at % 8 == 0U);
        std::memcpy(&step, bytes.data() + at, sizeof step);
        at += sizeof step;
        BOOST_REQUIRE(bytes.size() - at >= step.bytes);
        PlanStep decoded{step.op, step.a, step.b, step.c, {}};
        const char* text = bytes.data() + at;
        for (std::uint32_t n = 0; n < step.texts; ++n) {
            decoded.texts.emplace_back(text);
            text += decoded.texts.back().size() + 1;
        }
        BOOST_TEST(text <= bytes.data() + at + step.bytes);
        at += step.bytes;
        plan.push_back(std::move(decoded));
    }
    BOOST_TEST(at == bytes.size());
    return plan;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plan)

BOOST_AUTO_TEST_CASE(the_plan_of_a_minimal_container) {
    check_golden(make_plan(minimal_spec(), {}, {}), "minimal.plan");
}

BOOST_AUTO_TEST_CASE(the_plan_of_a_full_container) { check_golden(full_plan(), "full.plan"); }

BOOST_AUTO_TEST_CASE(a_terminal_replaces_devpts_and_is_taken_last) {
    Spec spec = minimal_spec();
    spec.terminal = true;
    spec.process.reaper = true;
    const Plan plan = make_plan(spec, {}, {true});
    const auto pts = std::ranges::find_if(plan, [](const PlanStep& step) {
        return step.texts == std::vector<std::string>{"/dev/pts"};
    });
    BOOST_REQUIRE(pts != plan.end());
    // Descriptor 0 is the root, 1 the one volume.
    BOOST_TEST((*pts == PlanStep{Op::attach, 2, 1, 0, {"/dev/pts"}}));
    BOOST_TEST(((pts + 1)->op == Op::console));
    BOOST_TEST(index_of(plan, Op::reaper) + 1 == index_of(plan, Op::terminal));
    BOOST_TEST(index_of(plan, Op::terminal) + 1 == index_of(plan, Op::execute));
    BOOST_TEST(std::ranges::count(make_plan(minimal_spec(), {}, {}), Op::terminal, &PlanStep::op) ==
               0);
}

BOOST_AUTO_TEST_CASE(an_entry_joins_first_and_mounts_nothing) {
    const Spec spec = full_spec();
    check_golden(make_entry_plan(spec.process, spec.hostname, false, false,
                                 {1000, 1000, {1000, 27}, "/home/me"}),
                 "entry.plan");
    const Plan plan = make_entry_plan(spec.process, spec.hostname, true, true, {});
    BOOST_TEST((plan.front().op == Op::join));
    BOOST_TEST((plan.front().a & CLONE_NEWNET) != 0U);
}

BOOST_AUTO_TEST_CASE(privileged_hides_and_forbids_nothing) {
    Spec spec = minimal_spec();
    spec.privileged = true;
    spec.process.no_new_privileges = false;
    const Plan plan = make_plan(spec, {}, {});
    for (const Op op : {Op::mask, Op::read_only, Op::no_new_privs})
        BOOST_TEST(index_of(plan, op) == plan.size(), name(op));
    for (const PlanStep& step : plan)
        if (step.op == Op::mount) BOOST_TEST((step.a & MOUNT_ATTR_RDONLY) == 0U, step.texts[0]);
}

BOOST_AUTO_TEST_CASE(what_the_workload_is_told_wins_over_the_defaults) {
    Spec spec = minimal_spec();
    spec.process.env = {"HOME=/mine", "HOSTNAME=", "PATHS=no path"};
    const Plan plan = make_plan(spec, {}, {});
    const auto& words = plan[index_of(plan, Op::environment)].texts;
    const std::vector<std::string> expected = {
        "HOME=/mine", "HOSTNAME=", "PATHS=no path",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    BOOST_CHECK(words == expected);
}

BOOST_AUTO_TEST_CASE(a_plan_comes_out_of_the_pipe_as_it_went_in) {
    for (const Plan& plan : {make_plan(minimal_spec(), {}, {}), full_plan(), Plan{}})
        BOOST_CHECK(decode(encode(plan)) == plan);
    // Texts of every length around the padding, empty ones too.
    Plan plan;
    for (std::size_t length = 0; length < 40; ++length)
        plan.push_back({Op::arguments, length, ~length, 7, {std::string(length, 'x'), "", "end"}});
    BOOST_CHECK(decode(encode(plan)) == plan);
}

BOOST_AUTO_TEST_CASE(a_plan_has_a_largest_size) {
    const auto of_size = [](std::size_t bytes) {
        return Plan{{Op::environment, 0, 0, 0, {std::string(bytes, 'x')}}};
    };
    const std::size_t overhead = encode(of_size(7)).size() - 8;
    const std::string largest = encode(of_size(wire::max_plan_bytes - overhead - 1));
    BOOST_TEST(largest.size() == wire::max_plan_bytes);
    BOOST_CHECK_EXCEPTION(
        encode(of_size(wire::max_plan_bytes - overhead)), std::system_error,
        [](const std::system_error& error) { return error.code().value() == E2BIG; });
}

BOOST_AUTO_TEST_CASE(a_failure_is_told_by_its_step_and_its_reason) {
    const Plan plan = full_plan();
    const auto told = [&](std::size_t step, int error) {
        return explain(plan, {static_cast<std::uint32_t>(step), error}, false);
    };
    const auto first_mount = told(index_of(plan, Op::mount), EPERM);
    BOOST_TEST(first_mount.text == "mount proc on /proc: Operation not permitted");
    BOOST_TEST(first_mount.exit_code == 125);
    BOOST_TEST(told(index_of(plan, Op::user), EINVAL).text ==
               "become user 1000:1000: Invalid argument");

    const std::size_t execute = index_of(plan, Op::execute);
    BOOST_TEST(told(execute, ENOENT).text ==
               "execute server: No such file or directory (searched in the container's PATH)");
    BOOST_TEST(told(execute, ENOENT).exit_code == 127);
    BOOST_TEST(told(execute, EACCES).text == "execute server: Permission denied");
    BOOST_TEST(told(execute, EACCES).exit_code == 126);
    BOOST_TEST(told(execute, ENOEXEC).exit_code == 126);
    BOOST_TEST(told(UINT32_MAX, EPROTO).text == "read the plan: Protocol error");
    BOOST_TEST(told(UINT32_MAX, EPROTO).exit_code == 125);

    const Plan minimal = make_plan(minimal_spec(), {}, {});
    BOOST_TEST(explain(minimal, {static_cast<std::uint32_t>(minimal.size() - 1), ENOENT}, true).text ==
               "execute /bin/true: No such file or directory");
}

BOOST_AUTO_TEST_CASE(every_step_has_words) {
    for (const Plan& plan : {make_plan(minimal_spec(), {}, {}), full_plan()})
        for (const PlanStep& step : plan) {
            BOOST_TEST(describe(step) != "do an unknown step", name(step.op));
            BOOST_TEST(describe(step).find("  ") == std::string::npos, name(step.op));
        }
}

BOOST_AUTO_TEST_SUITE_END()
