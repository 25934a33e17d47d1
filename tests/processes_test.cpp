// What `top` makes of the kernel's words for a process, hostile names among them, and what `update`
// makes of its options.
#include "tools/ctl/processes.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tools/ctl/error.hpp"
#include "tools/ctl/run_options.hpp"

using namespace mydocker::ctl;
using nlohmann::json;

namespace {

ProcessFiles files_of(const std::string& name) {
    return {
        .stat = "4711 (" + name +
                ") S 1 4711 4711 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 3 0 1000 9 8 7 6\n",
        .status = "Name:\tx\nUid:\t1000\t1001\t1002\t1003\nNSpid:\t4711\t7\nVmRSS:\t    2048 kB\n",
        .cmdline = std::string("/bin/sleep\0009\0", 13),
        .uptime = 110,
        .hertz = 100};
}

Surroundings nothing() {
    return {[](const std::string&) { return std::nullopt; },
            [](const std::string&) { return std::string{}; }, "/"};
}

json update_of(std::map<std::string, std::vector<std::string>, std::less<>> options) {
    return update_request({std::move(options), {"web"}}, nothing());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(processes)

BOOST_AUTO_TEST_CASE(a_process_is_read) {
    const json record = process_record(files_of("sleep")).value();
    BOOST_TEST(record["pid"] == 4711);
    BOOST_TEST(record["container_pid"] == 7);
    BOOST_TEST(record["uid"] == 1001);
    BOOST_TEST(record["state"] == "S");
    BOOST_TEST(record["threads"] == 3);
    BOOST_TEST(record["cpu_ms"] == 2000);
    BOOST_TEST(record["cpu_percent"].get<double>() == 2.0);  // 2 s in 100 s
    BOOST_TEST(record["memory"] == 2048 * 1024);
    BOOST_TEST(record["command"] == "/bin/sleep 9");
}

BOOST_AUTO_TEST_CASE(a_name_may_hold_anything) {
    for (const char* name : {"a b", "x) R 9 9 9", "((", ")", "", "new\nline"})
        BOOST_TEST(process_record(files_of(name)).value()["state"] == "S", name);
}

BOOST_AUTO_TEST_CASE(a_zombie_has_its_name_only) {
    ProcessFiles files = files_of("sh");
    files.cmdline.clear();
    files.status = "Name:\tsh\n";
    const json record = process_record(files).value();
    BOOST_TEST(record["command"] == "[sh]");
    BOOST_TEST(record["memory"] == 0);
    BOOST_TEST(record["uid"].is_null());
}

BOOST_AUTO_TEST_CASE(what_has_ended_is_nothing) {
    BOOST_TEST(!process_record({}).has_value());
    BOOST_TEST(!process_record({.stat = "17 (cut"}).has_value());
    BOOST_TEST(!read_process(999'999'999).has_value());
    BOOST_TEST(read_process(::getpid()).value()["pid"] == ::getpid());
}

BOOST_AUTO_TEST_CASE(update_takes_the_options_of_run) {
    BOOST_TEST(update_of({{"memory", {"64m"}},
                          {"cpus", {"1.5"}},
                          {"restart", {"on-failure:3"}},
                          {"stop-timeout", {"20"}}}) ==
               json::parse(R"({"mem_limit":"64m","cpus":1.5,"stop_grace_period":"20s",
                              "restart":{"policy":"on-failure","attempts":3}})"));
    BOOST_TEST(update_of({{"memory", {"none"}}, {"restart-delay", {"none"}}}) ==
               json::parse(R"({"mem_limit":null,"restart":{"delay":null}})"));
    BOOST_TEST(update_of({}).empty());
    BOOST_CHECK_THROW(update_of({{"memory", {"lots"}}}), UsageError);
    for (const Option& option : update_options())
        for (const char* key : {"env", "volume", "user", "tty"})
            BOOST_TEST(key_of(option) != key, option.names);
}

BOOST_AUTO_TEST_SUITE_END()
