// Containers run by hand: `mydocker-ctl run` from its first instruction to its exit code.
#include <boost/test/unit_test.hpp>

#include "tests/system/harness.hpp"

using namespace mydocker::tests;

BOOST_AUTO_TEST_SUITE(run_command)

BOOST_AUTO_TEST_CASE(output_and_exit_code_are_the_workloads) {
    const Daemon daemon;
    const Result result =
        daemon.ctl({"run", "--rm", "/bin/sh", "-c", "echo out; echo err >&2; exit 7"});
    BOOST_CHECK_EQUAL(result.status, 7);
    BOOST_CHECK_EQUAL(result.out, "out\n");
    BOOST_CHECK_EQUAL(result.err, "err\n");
}

BOOST_AUTO_TEST_SUITE_END()
