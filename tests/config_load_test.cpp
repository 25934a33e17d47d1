// Host files as people write them: the broken ones in hostfiles/ against their golden problems, a
// full one against the structs it means, and JSON against TOML.
#include "config/load.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace mydocker::config;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// Problems name files as they were given: short names need the working directory.
struct InHostfiles {
    InHostfiles() { fs::current_path(MYDOCKER_HOSTFILES); }
    ~InHostfiles() { fs::current_path(before); }
    fs::path before = fs::current_path();
};

std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

std::string problems_of(const std::string& toml) {
    return to_string(load_text(toml, "t.toml").problems);
}

std::string json_problems(const std::string& json, const std::string& name = "web") {
    return to_string(load_container_json(json, name).problems);
}

Container expected_db() {
    Container db;
    db.name = "db";
    db.rootfs = "/srv/pg";
    db.command = {"postgres", "-c", "shared_buffers=256MB"};
    db.environment = {{"POSTGRES_DB", "app"}, {"PORT", "5432"},
                      {"FROM_BOTH", "table"}, {"FROM_FILE", "\"with quotes\" "},
                      {"TWICE", "2"},         {"EMPTY", ""}};
    db.working_dir = "/var/lib/postgresql";
    db.user = "1000:postgres";
    db.hostname = "db.example";
    db.volumes = {{"/srv/data", "/var/lib/postgresql/data", false},
                  {"/etc/ssl", "/etc/ssl", true},
                  {"/a", "/b", false}};
    db.tmpfs = {{"/tmp", 64 << 20, 0755}, {"/scratch", std::nullopt, 01777}};
    db.read_only = true;
    db.network = Network::host;
    db.cap_add = {"NET_BIND_SERVICE", "CHOWN"};
    db.cap_drop = {"ALL"};
    db.privileged = true;
    db.init = true;
    db.tty = true;
    db.stdin_open = true;
    db.ulimits = {{"core", UINT64_MAX, UINT64_MAX},
                  {"memlock", 1, UINT64_MAX},
                  {"nofile", 1024, 2048},
                  {"nproc", 100, 100}};
    db.oom_score_adj = -500;
    db.shm_size = 128 << 20;
    db.limits = {1 << 30, 900 << 20, std::int64_t{2} << 30, 2.0, 512, "0-3,7", 512};
    db.oom_policy = OomPolicy::stop;
    db.stop_signal = 2;
    db.stop_grace_period = 60s;
    db.start_timeout = 5s;
    db.autostart = Autostart::unless_stopped;
    db.restart.policy = Policy::on_abnormal;
    db.restart.on = {Cause::signal, Cause::oom, Cause::start_timeout};
    db.restart.delay = 250ms;
    db.restart.multiplier = 1.5;
    db.restart.max_delay = 2min;
    db.restart.jitter = 0;
    db.restart.reset_after = 20s;
    db.restart.attempts = 10;
    db.restart.interval = 10min;
    db.restart.on_limit = OnLimit::shutdown;
    db.restart.success_exit_codes = {0, 3};
    db.restart.prevent_on = {{Status::Kind::code, 78}, {Status::Kind::signal, 31}};
    db.restart.force_on = {{Status::Kind::code, 75}};
    db.restart.on_failure = {"/usr/local/bin/page", "{name}", "{reason}"};
    db.restart.prearm = true;
    db.logging = {1 << 20, 5};
    return db;
}

Container expected_web() {
    Container web;
    web.name = "web";
    web.command = {"/bin/web"};
    web.environment = {{"A", "1"}, {"EMPTY", ""}, {"EQUALS", "a=b"}};
    web.restart.policy = Policy::on_failure;
    web.restart.attempts = 5;
    web.autostart = Autostart::no;
    web.limits.pids_limit = -1;
    web.limits.memswap_limit = -1;
    web.stop_signal = 10;
    web.user = "33";
    return web;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_load)

// Each NAME.problems beside a NAME.toml holds exactly what is wrong with it.
BOOST_AUTO_TEST_CASE(golden_problems) {
    const InHostfiles here;
    int seen = 0;
    for (const auto& entry : fs::directory_iterator{"."}) {
        if (entry.path().extension() != ".problems") continue;
        const std::string name = entry.path().stem().string();
        const Loaded loaded = load_file(name + ".toml");
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(to_string(loaded.problems) == content(entry.path()));
        }
        ++seen;
    }
    BOOST_TEST(seen >= 30);
}

BOOST_AUTO_TEST_CASE(every_host_file_is_golden) {
    for (const auto& entry : fs::directory_iterator{MYDOCKER_HOSTFILES}) {
        if (entry.path().extension() != ".toml") continue;
        fs::path golden = entry.path();
        BOOST_TEST(fs::exists(golden.replace_extension(".problems")), entry.path());
    }
}

BOOST_AUTO_TEST_CASE(full_file) {
    const InHostfiles here;
    const Loaded loaded = load_file("full.toml");
    BOOST_TEST(to_string(loaded.problems) == "");
    const Daemon daemon{"/run/other/mydockerd.sock",
                        "/srv/mydocker",
                        "/run/other",
                        "/containers.slice",
                        LimitsMode::best_effort,
                        3,
                        1min};
    BOOST_TEST((loaded.host.daemon == daemon));
    Container plain;
    plain.name = "plain";
    plain.command = {"/bin/sh", "-c", "echo \"hello world\""};
    BOOST_REQUIRE(loaded.host.containers.size() == 3U);
    BOOST_TEST((loaded.host.containers.at("db") == expected_db()));
    BOOST_TEST((loaded.host.containers.at("web") == expected_web()));
    BOOST_TEST((loaded.host.containers.at("plain") == plain));
}

BOOST_AUTO_TEST_CASE(dumps_come_back) {
    const InHostfiles here;
    const Host host = load_file("full.toml").host;
    for (const auto& [name, container] : host.containers) {
        for (const bool pretty : {false, true}) {
            const LoadedContainer again = load_container_json(dump_json(container, pretty), name);
            BOOST_TEST(to_string(again.problems) == "");
            BOOST_TEST((again.container == container));
        }
    }
    Container bare;
    bare.name = "bare";
    bare.command = {"x"};
    BOOST_TEST((load_container_json(dump_json(bare), "bare").container == bare));
}

BOOST_AUTO_TEST_CASE(dump_is_canonical) {
    Container web = expected_web();
    web.limits.mem_limit = 50 << 20;
    web.restart.prevent_on = {{Status::Kind::signal, 9}};
    BOOST_TEST(
        dump_json(web) ==
        R"({"rootfs":"","command":["/bin/web"],"environment":{"A":"1","EMPTY":"","EQUALS":"a=b"},)"
        R"("working_dir":"/","user":"33","hostname":"","volumes":[],"tmpfs":[],"read_only":false,)"
        R"("network":"none","cap_add":[],"cap_drop":[],"privileged":false,"init":false,"tty":false,)"
        R"("stdin_open":false,"ulimits":{},)"
        R"("oom_score_adj":0,"shm_size":"64m","mem_limit":"50m","memswap_limit":-1,"cpuset":"",)"
        R"("pids_limit":-1,"oom_policy":"continue","stop_signal":"SIGUSR1","stop_grace_period":"10s",)"
        R"("start_timeout":"30s","autostart":"no","restart":{"policy":"on-failure","on":[],)"
        R"("delay":"100ms","multiplier":2.0,"max_delay":"1m","jitter":0.1,"reset_after":"10s",)"
        R"("attempts":5,"interval":"0s","on_limit":"fail","success_exit_codes":[0],)"
        R"("prevent_on":["SIGKILL"],"force_on":[],"on_failure":[],"prearm":false},)"
        R"("logging":{"max_size":"10m","max_files":3}})");
    Host host;
    host.containers["web"] = web;
    BOOST_TEST(dump_json(host).starts_with(
        R"({"version":1,"daemon":{"socket":"","data_root":"/var/lib/mydocker",)"));
}

BOOST_AUTO_TEST_CASE(json_means_what_toml_means) {
    const Loaded toml = load_text(R"(
        [container.web]
        command = "sleep 9"
        environment = ["A=1"]
        volumes = ["/a:/b:ro"]
        mem_limit = "50m"
        cpus = 0.5
        cpuset = "1,0"
        ulimits = { nofile = 5 }
        restart = { policy = "always", delay = "1.5s", prevent_on = [78, "sigsys"] }
    )",
                                  "t.toml");
    const LoadedContainer json = load_container_json(R"({
        "command": "sleep 9",
        "environment": ["A=1"],
        "volumes": ["/a:/b:ro"],
        "mem_limit": "50m",
        "cpus": 0.5,
        "cpuset": "1,0",
        "ulimits": {"nofile": 5},
        "restart": {"policy": "always", "delay": "1.5s", "prevent_on": [78, "sigsys"]}
    })",
                                                     "web");
    BOOST_TEST(toml.ok());
    BOOST_TEST(json.ok());
    BOOST_TEST((toml.host.containers.at("web") == json.container));
}

BOOST_AUTO_TEST_CASE(broken_json) {
    const auto deep = [](int levels) {
        return R"({"command":)" + std::string(static_cast<std::size_t>(levels), '[') +
               std::string(static_cast<std::size_t>(levels), ']') + "}";
    };
    const std::vector<std::pair<std::string, std::string>> cases{
        {"[]", "expected a JSON object, got an array\n"},
        {"7", "expected a JSON object, got an integer\n"},
        {"null", "expected a JSON object, got null\n"},
        {"{}", "container.web: `command` is missing (command = [\"PROGRAM\", \"ARGUMENT\", …])\n"},
        {R"({"command":["x"],"cpu_set":"0"})",
         "container.web.cpu_set: unknown key (did you mean `cpuset`?)\n"},
        {R"({"command":["x"],"command":["y"]})",
         "the key \"command\" stands twice in one object\n"},
        {R"({"command":["x"],"mem_limit":null})",
         "container.web.mem_limit: expected a size such as \"50m\", got null\n"},
        {R"({"command":["x"],"env_file":"a.env"})",
         "container.web.env_file: expected an absolute path, got \"a.env\"\n"},
        {R"({"command":["x"],"cpus":1e400})", ""},
        {R"({"command":["x"],"pids_limit":18446744073709551615})",
         "container.web.pids_limit: expected an integer, got a float\n"},
        {R"({"command":["a\u0000b"]})", "container.web.command[0]: contains a NUL byte\n"},
        {deep(32), "nested deeper than 32 levels\n"},
        {deep(100'000), "nested deeper than 32 levels\n"},
        {std::string(std::size_t{9} << 20U, ' '), "larger than 8 MiB\n"},
    };
    for (const auto& [json, expected] : cases) {
        BOOST_TEST_CONTEXT(json.substr(0, 80)) {
            if (expected.empty()) {
                BOOST_TEST(json_problems(json).starts_with("not JSON, at byte "));
            } else {
                BOOST_TEST(json_problems(json) == expected);
            }
        }
    }
    for (const char* json :
         {"", "{", "{\"a\"}", "{'a': 1}", "{\"a\": 1,}", "{} {}", "\xff", "{\"a\": \"\xff\"}",
          "{\"a\": \"\xed\xa0\x80\"}", "{\"a\": \"\\ud800\"}", "{\"a\": NaN}", "{\"a\": 01}"}) {
        BOOST_TEST_CONTEXT(json) {
            BOOST_TEST(json_problems(json).starts_with("not JSON, at byte "));
        }
    }
    BOOST_TEST(json_problems(R"({"command":["x"]})", "../x") ==
               "container.\"../x\": not a valid name (a letter or digit, then up to 62 of a-z A-Z "
               "0-9 _ . -)\n");
}

BOOST_AUTO_TEST_CASE(size_is_bounded) {
    const std::string line = "# sixteen bytes\n";
    std::string text;
    while (text.size() < (std::size_t{1} << 20U)) text += line;
    BOOST_TEST(problems_of(text) == "");
    BOOST_TEST(problems_of(text + line) == "t.toml: larger than 1 MiB (split it with `include`)\n");

    const fs::path file = fs::temp_directory_path() / "mydocker-two-mib.toml";
    std::ofstream{file} << text << text;
    const Loaded loaded = load_file(file);
    fs::remove(file);
    BOOST_TEST(!loaded.ok());
    BOOST_TEST(to_string(loaded.problems) ==
               file.string() + ": cannot be read: larger than 1 MiB\n");
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded_before_the_parser) {
    const auto repeat = [](const std::string& text, std::size_t count) {
        std::string out;
        for (std::size_t index = 0; index < count; ++index) out += text;
        return out;
    };
    // None of these may reach toml++, which would build the tree and exhaust the stack freeing it.
    for (const std::string& text : {
             "x = " + repeat("[", 500'000),
             "x = " + repeat("{a=", 300'000),
             repeat("a.", 400'000) + "a = 1",
             "[" + repeat("a.", 400'000) + "a]",
             "[[" + repeat("a . ", 200'000) + "a]]",
             "x = { " + repeat("a.", 400'000) + "a = 1 }",
             "x = [" + repeat("\n#\"\n", 1000) + repeat("[", 400'000),
             "x = \"\\\"\" \ny = '\\'\nz = \"\"\"\"\"\\\"\"\"\"\"\"\nw = " + repeat("[", 400'000),
             repeat("'a'.", 200'000) + "b = 1",
             repeat("\"a\".", 200'000) + "b = 1",
         }) {
        BOOST_TEST_CONTEXT(text.substr(0, 60)) {
            const Loaded loaded = load_text(text, "t.toml");
            BOOST_REQUIRE(loaded.problems.size() == 1U);
            BOOST_TEST(loaded.problems[0].what == "nested deeper than 32 levels");
        }
    }
    // As deep as it may be, and brackets that do not nest.
    BOOST_TEST(problems_of("x = " + repeat("[", 30) + repeat("]", 30)) ==
               "t.toml:1:1: x: unknown key\n");
    BOOST_TEST(problems_of("x = '" + repeat("[", 100) + "'") == "t.toml:1:1: x: unknown key\n");
    BOOST_TEST(problems_of("# " + repeat("[", 100)) == "");
    BOOST_TEST(problems_of("x = [" + repeat("1.5, [[2.5]], ", 100) + "]") ==
               "t.toml:1:1: x: unknown key\n");
}

BOOST_AUTO_TEST_CASE(includes_are_bounded) {
    const fs::path directory = fs::temp_directory_path() / "mydocker-includes";
    fs::remove_all(directory);
    fs::create_directories(directory);
    for (int index = 0; index < 300; ++index) {
        std::ofstream{directory / (std::to_string(index) + ".toml")} << "include = \"" << index + 1
                                                                     << ".toml\"\n";
    }
    const Loaded loaded = load_file(directory / "0.toml");
    fs::remove_all(directory);
    BOOST_REQUIRE(loaded.problems.size() == 1U);
    BOOST_TEST(loaded.problems[0].what == "more than 256 files");
}

BOOST_AUTO_TEST_CASE(missing_file) {
    const Loaded loaded = load_file("/nowhere/host.toml");
    BOOST_TEST(!loaded.ok());
    BOOST_TEST(to_string(loaded.problems) ==
               "/nowhere/host.toml: cannot be read: No such file or directory\n");
}

BOOST_AUTO_TEST_CASE(warnings_are_not_fatal) {
    const InHostfiles here;
    const Loaded loaded = load_file("policy_contradicts.toml");
    BOOST_TEST(loaded.problems.size() >= 5U);
    BOOST_TEST(loaded.ok());
}

BOOST_AUTO_TEST_CASE(problems_are_one_printable_line) {
    Problem problem{"a\nb.toml", 1, 2, "k\x1b[0m", "w\xff\x80\xc2\x9b", "h\r"};
    BOOST_TEST(to_string(problem) == "a\\nb.toml:1:2: k\\x1b[0m: w\\xff\\x80\\xc2\\x9b (h\\x0d)");
    problem = {"", 0, 0, "", "what", "", false};
    BOOST_TEST(to_string(problem) == "warning: what");
}

BOOST_AUTO_TEST_SUITE_END()
