// mydockerd's own log where nobody takes it: the loop goes on, and what was lost is counted.
#include "supervisor/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "runtime/unique_fd.hpp"

using namespace mydocker;

BOOST_AUTO_TEST_SUITE(own_log)

BOOST_AUTO_TEST_CASE(a_pipe_that_nobody_reads_holds_up_nobody) {
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const runtime::UniqueFd read(ends[0]);
    const runtime::UniqueFd write(ends[1]);
    const runtime::UniqueFd before(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    ::dup2(write.get(), STDERR_FILENO);
    const auto logger = spdlog::default_logger();
    BOOST_REQUIRE(supervisor::log::set_up("info"));
    for (int line = 0; line < 5000; ++line) supervisor::log::info("a line of some length: {}", line);
    std::string text(1 << 20, '\0');
    text.resize(static_cast<std::size_t>(::read(read.get(), text.data(), text.size())));
    supervisor::log::info("the last one");
    std::string rest(1 << 16, '\0');
    rest.resize(static_cast<std::size_t>(::read(read.get(), rest.data(), rest.size())));
    ::dup2(before.get(), STDERR_FILENO);
    spdlog::set_default_logger(logger);
    BOOST_TEST(text.find("length: 0\n") != std::string::npos);
    BOOST_TEST(rest.find(" lines were lost") != std::string::npos);
    BOOST_TEST(rest.find("the last one") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
