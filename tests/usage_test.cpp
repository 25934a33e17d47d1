// What the kernel's own words for a cgroup's use are read as, and how `stats` tells it.
#include "runtime/usage.hpp"

#include <fcntl.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "runtime/unique_fd.hpp"
#include "tests/scratch.hpp"
#include "tools/ctl/stats.hpp"

using namespace mydocker;
using nlohmann::json;

BOOST_AUTO_TEST_SUITE(usage)

BOOST_AUTO_TEST_CASE(pressure_is_the_first_average_of_some) {
    const std::string text =
        "some avg10=12.34 avg60=1.00 avg300=0.00 total=77\nfull avg10=5.00 avg60=0.00 "
        "avg300=0.00 total=5\n";
    BOOST_TEST(runtime::pressure_of(text).value() == 12.34);
    BOOST_TEST(!runtime::pressure_of("full avg10=5.00"));
    BOOST_TEST(!runtime::pressure_of("some avg10=x"));
    BOOST_TEST(!runtime::pressure_of(""));
}

BOOST_AUTO_TEST_CASE(io_is_the_sum_over_devices) {
    const std::string text =
        "8:0 rbytes=100 wbytes=7 rios=1 wios=1 dbytes=0 dios=0\n"
        "253:0 rbytes=11 wbytes=18446744073709551000 rios=1 wios=1 dbytes=0 dios=0\n7:0 \n";
    BOOST_TEST(runtime::sum_of_io(text, "rbytes") == 111u);
    BOOST_TEST(runtime::sum_of_io(text, "dios") == 0u);
    BOOST_TEST(runtime::sum_of_io("", "rbytes") == 0u);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_no_number) {
    const tests::Scratch scratch;
    const auto put = [&](const char* name, const char* text) {
        tests::write_file(scratch / name, text);
    };
    put("cpu.stat", "usage_usec 4200\nuser_usec 4000\n");
    put("memory.current", "1048576\n");
    put("memory.max", "max\n");
    put("pids.current", "nonsense\n");
    const runtime::UniqueFd fd(::open(scratch.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const runtime::Usage usage = runtime::read_usage(fd.get());
    BOOST_TEST(usage.cpu_usec.value() == 4200u);
    BOOST_TEST(usage.memory.value() == 1048576u);
    BOOST_TEST(usage.memory_max.value() == runtime::Usage::no_limit);
    BOOST_TEST(!usage.throttled_usec);
    BOOST_TEST(!usage.pids);
    BOOST_TEST(!usage.swap);
    BOOST_TEST(!usage.io_read);
    BOOST_TEST(!usage.cpu_pressure);
}

BOOST_AUTO_TEST_CASE(records_speak_dockers_words) {
    const json record = ctl::stats_record({{"name", "web"},
                                           {"state", "running"},
                                           {"cpu_percent", 12.345},
                                           {"memory", 10 << 20},
                                           {"memory_max", 40 << 20},
                                           {"io_read", 1024},
                                           {"io_write", 0}},
                                          "T");
    BOOST_TEST(record["time"] == "T");
    BOOST_TEST(record["cpu_perc"].get<std::string>().starts_with("12.3"));
    BOOST_TEST(record["mem_usage"] == "10MiB / 40MiB");
    BOOST_TEST(record["mem_perc"] == "25.00%");
    BOOST_TEST(record["block_io"] == "1KiB / 0B");
    BOOST_TEST(record["pids"].is_null());
}

BOOST_AUTO_TEST_CASE(what_has_no_number_is_a_dash_not_a_nought) {
    const json record =
        ctl::stats_record({{"name", "web"}, {"memory", 1024}, {"memory_max", nullptr}}, "T");
    BOOST_TEST(record["cpu_perc"] == "-");
    BOOST_TEST(record["mem_usage"] == "1KiB");
    BOOST_TEST(record["mem_perc"] == "-");
    BOOST_TEST(record["block_io"] == "-");
    BOOST_TEST(record["oom_kills"].is_null());
}

BOOST_AUTO_TEST_SUITE_END()
