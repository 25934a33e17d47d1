// The main() of the unit tests: Boost.Test, compiled in from its headers. It holds no test itself.
#define BOOST_TEST_MODULE mydocker
#include <signal.h>

#include <boost/test/included/unit_test.hpp>

// As mydockerd and mydocker-ctl do: a pipe whose reader has gone is an error like any other.
struct IgnoreBrokenPipes {
    IgnoreBrokenPipes() { ::signal(SIGPIPE, SIG_IGN); }
};
BOOST_TEST_GLOBAL_CONFIGURATION(IgnoreBrokenPipes);
