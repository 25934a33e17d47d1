// From the words of a host file to the runtime's spec, key by key: each case sets one key and looks
// at all that it changes.
#include "supervisor/translate.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <limits>

#include "config/load.hpp"
#include "runtime/capability.hpp"

using namespace mydocker;
using mydocker::supervisor::translate;

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

// The spec of a [container.web] with these lines.
runtime::Spec spec_of(const std::string& lines) {
    const auto loaded = config::load_text(
        "version = 1\n[container.web]\ncommand = [\"/bin/true\", \"-x\"]\n" + lines, "test.toml");
    for (const auto& problem : loaded.problems)
        if (problem.fatal) BOOST_FAIL(config::to_string(problem));
    return translate(loaded.host.containers.at("web"), "/data/web");
}

runtime::Limits limits_of(const std::string& lines) { return spec_of(lines).limits; }

runtime::Capabilities capabilities(const std::vector<std::string_view>& names) {
    runtime::Capabilities set = 0;
    for (const auto name : names)
        set |= runtime::Capabilities{1} << runtime::capability_number(name).value();
    return set;
}

// Nobody can give what he has not: an ordinary user who runs these tests has none.
runtime::Capabilities usual_capabilities() {
    return runtime::default_capabilities() & runtime::own_capabilities();
}

const runtime::Rlimit* rlimit_of(const runtime::Spec& spec, int resource) {
    for (const auto& limit : spec.process.rlimits)
        if (limit.resource == resource) return &limit;
    return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(translation)

BOOST_AUTO_TEST_CASE(what_a_container_is_when_nothing_is_said) {
    const runtime::Spec spec = spec_of("");
    BOOST_CHECK((spec.process.args == std::vector<std::string>{"/bin/true", "-x"}));
    BOOST_TEST(spec.process.env.empty());
    BOOST_TEST(spec.process.cwd == "/");
    BOOST_TEST(spec.process.user == "");
    BOOST_TEST(spec.process.capabilities == usual_capabilities());
    BOOST_TEST(spec.process.ambient == 0U);
    BOOST_TEST(spec.process.oom_score_adj == 0);
    BOOST_TEST(spec.process.no_new_privileges);
    BOOST_TEST(!spec.process.reaper);
    BOOST_TEST(spec.root.path == "/");
    BOOST_TEST(spec.root.upper == "/data/web/upper");
    BOOST_TEST(spec.root.work == "/data/web/work");
    BOOST_TEST(!spec.root.read_only);
    BOOST_TEST(spec.hostname == "web");
    BOOST_TEST(spec.mounts.empty());
    BOOST_TEST(spec.own_network);
    BOOST_TEST(!spec.privileged);
    BOOST_TEST(spec.shm_size == 64U << 20);
    BOOST_CHECK(spec.limits == runtime::Limits{});
}

BOOST_AUTO_TEST_CASE(the_process) {
    const runtime::Spec spec = spec_of(
        "environment = { B = \"2\", A = \"1=one\" }\nworking_dir = \"/srv\"\n"
        "user = \"www-data:adm\"\noom_score_adj = -500\ninit = true\n");
    BOOST_CHECK((spec.process.env == std::vector<std::string>{"A=1=one", "B=2"}));
    BOOST_TEST(spec.process.cwd == "/srv");
    BOOST_TEST(spec.process.user == "www-data:adm");
    BOOST_TEST(spec.process.oom_score_adj == -500);
    BOOST_TEST(spec.process.reaper);
}

BOOST_AUTO_TEST_CASE(the_root) {
    const runtime::Spec spec = spec_of("rootfs = \"/srv/pg\"\nread_only = true\n");
    BOOST_TEST(spec.root.path == "/srv/pg");
    BOOST_TEST(spec.root.upper == "");
    BOOST_TEST(spec.root.work == "");
    BOOST_TEST(spec.root.read_only);
}

BOOST_AUTO_TEST_CASE(names_and_networks) {
    BOOST_TEST(spec_of("hostname = \"db.example\"\n").hostname == "db.example");
    BOOST_TEST(!spec_of("network = \"host\"\n").own_network);
    BOOST_TEST(spec_of("network = \"none\"\n").own_network);
    BOOST_TEST(spec_of("shm_size = \"1m\"\n").shm_size == 1U << 20);
}

BOOST_AUTO_TEST_CASE(mounts_keep_their_order) {
    const runtime::Spec spec = spec_of(
        "volumes = [\"/a:/in/a\", \"/b:/in/b:ro\"]\n"
        "tmpfs = [\"/tmp:size=64m,mode=755\", \"/scratch\"]\n");
    BOOST_REQUIRE(spec.mounts.size() == 4U);
    using Kind = runtime::Mount::Kind;
    BOOST_CHECK(spec.mounts[0].kind == Kind::bind);
    BOOST_TEST(spec.mounts[0].source == "/a");
    BOOST_TEST(spec.mounts[0].target == "/in/a");
    BOOST_TEST(!spec.mounts[0].read_only);
    BOOST_TEST(spec.mounts[1].source == "/b");
    BOOST_TEST(spec.mounts[1].read_only);
    BOOST_CHECK(spec.mounts[2].kind == Kind::tmpfs);
    BOOST_TEST(spec.mounts[2].target == "/tmp");
    BOOST_TEST(spec.mounts[2].size == 64U << 20);
    BOOST_TEST(spec.mounts[2].mode == 0755U);
    BOOST_TEST(spec.mounts[3].target == "/scratch");
    BOOST_TEST(spec.mounts[3].size == 0U);
    BOOST_TEST(spec.mounts[3].mode == 01777U);
}

BOOST_AUTO_TEST_CASE(capabilities_are_dropped_then_added) {
    const auto usual = usual_capabilities();
    const auto set = [](const std::string& lines) { return spec_of(lines).process; };
    BOOST_TEST(set("cap_drop = [\"CHOWN\"]\n").capabilities == (usual & ~capabilities({"CHOWN"})));
    BOOST_TEST(set("cap_drop = [\"ALL\"]\n").capabilities == 0U);
    BOOST_TEST(set("cap_add = [\"ALL\"]\n").capabilities == runtime::own_capabilities());
    if ((runtime::own_capabilities() & capabilities({"NET_ADMIN", "CHOWN"})) !=
        capabilities({"NET_ADMIN", "CHOWN"})) {
        BOOST_CHECK_THROW(set("cap_add = [\"NET_ADMIN\", \"CHOWN\"]\n"), std::system_error);
        return;
    }
    const auto added = set("cap_add = [\"NET_ADMIN\"]\n");
    BOOST_TEST(added.capabilities == (usual | capabilities({"NET_ADMIN"})));
    BOOST_TEST(added.ambient == capabilities({"NET_ADMIN"}));
    const auto both = set("cap_drop = [\"ALL\"]\ncap_add = [\"chown\"]\n");
    BOOST_TEST(both.capabilities == capabilities({"CHOWN"}));
    BOOST_TEST(both.ambient == capabilities({"CHOWN"}));
}

BOOST_AUTO_TEST_CASE(privileged_keeps_everything) {
    const runtime::Spec spec = spec_of("privileged = true\n");
    BOOST_TEST(spec.privileged);
    BOOST_TEST(!spec.process.no_new_privileges);
    BOOST_TEST(spec.process.capabilities == runtime::own_capabilities());
    BOOST_TEST(spec.process.ambient == runtime::own_capabilities());
}

BOOST_AUTO_TEST_CASE(ulimits_by_name) {
    struct Name {
        const char* text;
        int resource;
    };
    for (const auto& [text, resource] :
         {Name{"as", RLIMIT_AS}, Name{"core", RLIMIT_CORE}, Name{"cpu", RLIMIT_CPU},
          Name{"data", RLIMIT_DATA}, Name{"fsize", RLIMIT_FSIZE}, Name{"locks", RLIMIT_LOCKS},
          Name{"memlock", RLIMIT_MEMLOCK}, Name{"msgqueue", RLIMIT_MSGQUEUE},
          Name{"nice", RLIMIT_NICE}, Name{"nofile", RLIMIT_NOFILE}, Name{"nproc", RLIMIT_NPROC},
          Name{"rss", RLIMIT_RSS}, Name{"rtprio", RLIMIT_RTPRIO}, Name{"rttime", RLIMIT_RTTIME},
          Name{"sigpending", RLIMIT_SIGPENDING}, Name{"stack", RLIMIT_STACK}}) {
        const runtime::Spec spec = spec_of("ulimits = { " + std::string(text) + " = \"3:5\" }\n");
        const runtime::Rlimit* limit = rlimit_of(spec, resource);
        BOOST_REQUIRE_MESSAGE(limit != nullptr, text);
        BOOST_TEST(limit->soft == 3U, text);
        BOOST_TEST(limit->hard == 5U, text);
        BOOST_TEST(spec.process.rlimits.size() == (resource == RLIMIT_NOFILE ? 1U : 2U), text);
    }
    BOOST_TEST(rlimit_of(spec_of("ulimits = { core = \"unlimited\" }\n"), RLIMIT_CORE)->hard ==
               unlimited);
}

// mydockerd raises its own limit of descriptors: a container gets systemd's default, never that.
BOOST_AUTO_TEST_CASE(descriptors_are_never_inherited) {
    rlimit own{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &own) == 0);
    const runtime::Spec spec = spec_of("");
    const runtime::Rlimit* limit = rlimit_of(spec, RLIMIT_NOFILE);
    BOOST_REQUIRE(limit != nullptr);
    BOOST_TEST(limit->soft == 1024U);
    BOOST_TEST(limit->hard == std::min<std::uint64_t>(own.rlim_max, 524'288));
}

BOOST_AUTO_TEST_CASE(a_ulimit_that_only_we_could_have_let_through_throws) {
    config::Container container;
    container.name = "web";
    container.command = {"/bin/true"};
    container.ulimits = {{"nosuch", 1, 1}};
    BOOST_CHECK_THROW(translate(container, "/data/web"), std::system_error);
    container.ulimits.clear();
    container.cap_add = {"NOSUCH"};
    BOOST_CHECK_THROW(translate(container, "/data/web"), std::system_error);
}

BOOST_AUTO_TEST_CASE(memory) {
    const runtime::Limits limits = limits_of("mem_limit = \"50m\"\nmem_high = \"40m\"\n");
    BOOST_TEST(limits.memory_max.value() == 50U << 20);
    BOOST_TEST(limits.memory_high.value() == 40U << 20);
    // Docker: without memswap_limit as much swap again.
    BOOST_TEST(limits.swap_max.value() == 50U << 20);
    BOOST_TEST(!limits.oom_group);
    BOOST_TEST(limits_of("mem_limit = \"50m\"\nmemswap_limit = \"50m\"\n").swap_max.value() == 0U);
    BOOST_TEST(limits_of("mem_limit = \"50m\"\nmemswap_limit = \"80m\"\n").swap_max.value() ==
               30U << 20);
    BOOST_TEST(limits_of("mem_limit = \"50m\"\nmemswap_limit = -1\n").swap_max.value() ==
               unlimited);
    BOOST_TEST(!limits_of("mem_high = \"40m\"\n").swap_max.has_value());
}

BOOST_AUTO_TEST_CASE(what_the_oom_killer_takes) {
    BOOST_TEST(limits_of("oom_policy = \"kill\"\n").oom_group);
    BOOST_TEST(!limits_of("oom_policy = \"stop\"\n").oom_group);
    BOOST_TEST(!limits_of("oom_policy = \"continue\"\n").oom_group);
}

BOOST_AUTO_TEST_CASE(processors_and_processes) {
    BOOST_TEST(limits_of("cpus = 0.2\n").cpu_quota_us.value() == 20'000U);
    BOOST_TEST(limits_of("cpus = 1.5\n").cpu_quota_us.value() == 150'000U);
    BOOST_TEST(limits_of("cpus = 0.333333\n").cpu_quota_us.value() == 33'333U);
    // The kernel takes no quota under 1 ms.
    BOOST_TEST(limits_of("cpus = 0.01\n").cpu_quota_us.value() == 1000U);
    BOOST_TEST(limits_of("cpus = 1\n").cpu_period_us == 100'000U);
    BOOST_TEST(limits_of("cpu_shares = 1024\n").cpu_weight.value() == 39U);
    BOOST_TEST(limits_of("cpuset = \"0-1,3\"\n").cpuset_cpus == "0-1,3");
    BOOST_TEST(limits_of("pids_limit = 512\n").pids_max.value() == 512U);
    BOOST_TEST(limits_of("pids_limit = -1\n").pids_max.value() == unlimited);
}

BOOST_AUTO_TEST_SUITE_END()
