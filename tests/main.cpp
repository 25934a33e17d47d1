// The main() of the unit tests: Boost.Test, compiled in from its headers. It holds no test itself.
#define BOOST_TEST_MODULE mydocker
#include <boost/test/included/unit_test.hpp>
