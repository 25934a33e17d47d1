// The system tests' program: see harness.hpp for what it needs.
#define BOOST_TEST_MODULE mydocker_system
#include <boost/test/included/unit_test.hpp>
