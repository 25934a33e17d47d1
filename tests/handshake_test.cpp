// What an init says on its report pipe, and that reading it takes nothing away.
#include "runtime/handshake.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "runtime/stdio.hpp"

namespace runtime = mydocker::runtime;
namespace wire = mydocker::wire;

namespace {

struct Report {
    void executing() { BOOST_REQUIRE(::write(pipe.write.get(), &wire::executing, 1) == 1); }
    void fails(std::uint32_t step, int error) {
        const wire::StepFailure word{step, error};
        BOOST_REQUIRE(::write(pipe.write.get(), &word, sizeof word) == ssize_t{sizeof word});
    }
    runtime::InitReport peek() const { return runtime::peek_report(pipe.read.get()); }

    runtime::Pipe pipe = runtime::make_pipe();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(handshake)

BOOST_AUTO_TEST_CASE(it_executes_once_the_pipe_ends_after_the_word) {
    Report report;
    BOOST_TEST(!report.peek().complete);
    BOOST_TEST(!report.peek().executing);
    report.executing();
    BOOST_TEST(report.peek().executing);
    BOOST_TEST(!report.peek().executed());
    report.pipe.write.reset();
    BOOST_TEST(report.peek().executed());
}

// The mydockerd that reads it first may be killed before it has told anybody.
BOOST_AUTO_TEST_CASE(the_next_mydockerd_reads_the_same) {
    Report executed;
    executed.executing();
    executed.pipe.write.reset();
    Report failed;
    failed.executing();
    failed.fails(7, ENOENT);
    failed.pipe.write.reset();
    for (int mydockerd = 0; mydockerd < 3; ++mydockerd) {
        BOOST_TEST(executed.peek().executed());
        const runtime::InitReport report = failed.peek();
        BOOST_TEST(report.executing);
        BOOST_TEST(!report.executed());
        BOOST_REQUIRE(report.failure.has_value());
        BOOST_TEST(report.failure->step == 7U);
        BOOST_TEST(report.failure->error == ENOENT);
    }
}

BOOST_AUTO_TEST_CASE(killed_before_its_execve_it_has_not_executed) {
    Report report;
    report.pipe.write.reset();
    BOOST_TEST(report.peek().complete);
    BOOST_TEST(!report.peek().executed());
}

BOOST_AUTO_TEST_CASE(a_step_before_the_execve_fails) {
    Report report;
    report.fails(wire::no_whole_plan, EPROTO);
    const runtime::InitReport said = report.peek();
    BOOST_TEST(!said.executing);
    BOOST_REQUIRE(said.failure.has_value());
    BOOST_TEST(said.failure->step == wire::no_whole_plan);
}

BOOST_AUTO_TEST_CASE(an_exec_that_failed_keeps_its_code_without_the_plan) {
    BOOST_TEST(runtime::explain({}, {7, ENOENT}, true).exit_code == 127);
    BOOST_TEST(runtime::explain({}, {7, EACCES}, true).exit_code == 126);
    BOOST_TEST(runtime::explain({}, {3, ENOENT}, false).exit_code == 125);
}

BOOST_AUTO_TEST_SUITE_END()
