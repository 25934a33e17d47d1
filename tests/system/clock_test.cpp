// The wall clock is stepped a year either way: nothing is hurried, nothing waits for a year.
#include <sys/time.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
namespace utf = boost::unit_test;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds year{365 * 24 * 3600};

// It is the whole machine's: only the VM's may be stepped (tools/vm says so on its command line).
boost::test_tools::assertion_result in_the_vm(utf::test_unit_id) {
    return contains(read_file("/proc/cmdline"), "mydocker.vm=1");
}

class WallClock {
public:
    ~WallClock() { step(-stepped_); }
    void step(std::chrono::seconds by) {
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        now.tv_sec += by.count();
        BOOST_REQUIRE_EQUAL(::clock_settime(CLOCK_REALTIME, &now), 0);
        stepped_ += by;
    }

private:
    std::chrono::seconds stepped_{0};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(wall_clock, *utf::precondition(in_the_vm))

BOOST_AUTO_TEST_CASE(stepped_a_year_either_way) {
    Daemon daemon(
        "version = 1\n[container.often]\ncommand = [\"false\"]\n[container.often.restart]\n"
        "policy = \"always\"\ndelay = \"200ms\"\nmultiplier = 1.0\n[container.patient]\n"
        "command = [\"false\"]\n[container.patient.restart]\npolicy = \"always\"\n"
        "delay = \"10m\"\nmax_delay = \"10m\"\n[container.steady]\ncommand = [\"sleep\", "
        "\"1000\"]\nstop_signal = \"KILL\"\n");
    BOOST_REQUIRE(daemon.reaches("steady", "running"));
    const int steady = daemon.inspect("steady").at("pid");
    const auto attempts = [&] { return daemon.inspect("often").at("attempt").get<int>(); };
    WallClock clock;
    for (const auto by : {year, -2 * year, year}) {
        clock.step(by);
        for (const bool dies : {false, true}) {
            if (dies) daemon.crash();
            const int before = attempts();
            BOOST_CHECK(eventually([&] { return attempts() > before + 2; }));
            BOOST_CHECK_EQUAL(daemon.state("patient"), "waiting");
            BOOST_CHECK_EQUAL(daemon.inspect("patient").at("attempt"), 1);
            BOOST_CHECK_EQUAL(daemon.inspect("steady").at("pid"), steady);
        }
        // The deadline is on the wall clock as it is now.
        BOOST_TEST_MESSAGE(daemon.ctl({"ps", "-a"}).out);
        BOOST_CHECK_EQUAL(daemon.ctl({"exec", "steady", "true"}).status, 0);
        const Result run = daemon.ctl({"run", "--rm", "sh", "-c", "sleep 0.1; exit 7"});
        BOOST_CHECK_EQUAL(run.status, 7);
    }
    // Its wait is cut short by hand alone.
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "patient"}).status, 0);
    BOOST_CHECK(eventually([&] { return daemon.inspect("patient").at("attempt") == 2; }));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "patient"}).status, 0);
    BOOST_CHECK_EQUAL(daemon.ctl({"logs", "--timestamps", "often"}).status, 0);
}

BOOST_AUTO_TEST_SUITE_END()
