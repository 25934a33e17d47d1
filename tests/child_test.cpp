// The end of a program of the host is told once, and to nobody who has gone.
#include "supervisor/child.hpp"

#include <poll.h>

#include <asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <optional>

#include "runtime/exit_status.hpp"

using namespace mydocker;
using namespace mydocker::supervisor;

namespace {

std::shared_ptr<WatchedFd> ended_child(asio::io_context& loop) {
    auto pidfd = std::make_shared<WatchedFd>(loop.get_executor(), start_child({"true"}, {}));
    pollfd ended{pidfd->get(), POLLIN, 0};
    BOOST_REQUIRE(::poll(&ended, 1, 10'000) == 1);
    return pidfd;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(child)

BOOST_AUTO_TEST_CASE(its_end_is_told) {
    asio::io_context loop(1);
    const auto pidfd = ended_child(loop);
    Waker waker(loop.get_executor());
    const ExitPoke at_exit(pidfd, waker);
    BOOST_TEST(loop.run_one_for(std::chrono::seconds{10}) == 1U);
    const auto status = runtime::peek_exit(pidfd->get());
    BOOST_REQUIRE(status.has_value());
    BOOST_TEST(status->number == 0);
    runtime::reap(pidfd->get());
}

// mydockerd once died of this: the status was asked for again, of a child that was reaped.
BOOST_AUTO_TEST_CASE(who_learnt_of_it_otherwise_may_reap_and_go) {
    asio::io_context loop(1);
    const auto pidfd = ended_child(loop);
    {
        Waker waker(loop.get_executor());
        const ExitPoke at_exit(pidfd, waker);
        runtime::reap(pidfd->get());
    }
    BOOST_CHECK_NO_THROW(loop.run_one_for(std::chrono::seconds{10}));
}

BOOST_AUTO_TEST_SUITE_END()
