// The start gate: first come first served, never more than its width inside, and asking or leaving
// twice changes nothing.
#include "supervisor/gate.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>
#include <vector>

using mydocker::supervisor::Gate;

namespace {

std::vector<Gate::Key> admit_all(Gate& gate) {
    std::vector<Gate::Key> keys;
    while (const auto key = gate.admit()) keys.push_back(*key);
    return keys;
}

using Keys = std::vector<Gate::Key>;

}  // namespace

BOOST_AUTO_TEST_SUITE(gate)

BOOST_AUTO_TEST_CASE(first_come_first_served) {
    Gate gate{2};
    BOOST_CHECK(!gate.admit());
    for (const Gate::Key key : {7U, 3U, 9U, 1U}) gate.request(key);
    BOOST_CHECK(admit_all(gate) == Keys({7, 3}));
    BOOST_TEST(gate.in_flight() == 2U);
    BOOST_TEST(gate.queued() == 2U);
    gate.release(3);
    BOOST_CHECK(admit_all(gate) == Keys({9}));
    gate.release(7);
    gate.release(9);
    BOOST_CHECK(admit_all(gate) == Keys({1}));
    BOOST_TEST(gate.holds(1));
    BOOST_TEST(!gate.holds(7));
}

BOOST_AUTO_TEST_CASE(asking_and_leaving_twice_change_nothing) {
    Gate gate{1};
    gate.request(1);
    gate.request(1);
    BOOST_TEST(gate.queued() == 1U);
    BOOST_CHECK(admit_all(gate) == Keys({1}));
    gate.request(1);  // while holding a slot
    BOOST_TEST(gate.queued() == 0U);
    gate.request(2);
    gate.request(3);
    gate.request(2);  // keeps its place
    gate.release(9);  // never asked
    gate.release(1);
    gate.release(1);
    BOOST_CHECK(admit_all(gate) == Keys({2}));
    gate.release(3);  // a place in the queue
    gate.release(2);
    BOOST_CHECK(admit_all(gate).empty());
    BOOST_TEST(gate.in_flight() == 0U);
    gate.request(1);  // and again, from the start
    BOOST_CHECK(admit_all(gate) == Keys({1}));
}

BOOST_AUTO_TEST_CASE(the_width_may_change) {
    Gate gate{3};
    for (Gate::Key key = 0; key < 8; ++key) gate.request(key);
    BOOST_CHECK(admit_all(gate) == Keys({0, 1, 2}));
    gate.set_width(1);  // nobody is turned out
    BOOST_TEST(gate.in_flight() == 3U);
    gate.release(0);
    gate.release(1);
    BOOST_CHECK(admit_all(gate).empty());
    gate.release(2);
    BOOST_CHECK(admit_all(gate) == Keys({3}));
    gate.set_width(4);
    BOOST_CHECK(admit_all(gate) == Keys({4, 5, 6}));
    gate.set_width(0);  // taken as one
    for (Gate::Key key = 3; key < 7; ++key) gate.release(key);
    BOOST_CHECK(admit_all(gate) == Keys({7}));
    BOOST_CHECK((Gate{0}.in_flight() == 0));
}

// Against the plainest list one can write, for a while.
BOOST_AUTO_TEST_CASE(agrees_with_a_plain_list) {
    std::mt19937 random{3};
    Gate gate{4};
    Keys queue;
    std::set<Gate::Key> inside;
    for (int i = 0; i < 200'000; ++i) {
        const Gate::Key key = random() % 12;
        const auto place = std::find(queue.begin(), queue.end(), key);
        switch (random() % 3) {
            case 0:
                gate.request(key);
                if (place == queue.end() && !inside.contains(key)) queue.push_back(key);
                break;
            case 1:
                gate.release(key);
                if (place != queue.end()) queue.erase(place);
                inside.erase(key);
                break;
            default: {
                const auto admitted = gate.admit();
                const bool may = !queue.empty() && inside.size() < 4;
                BOOST_TEST_REQUIRE(admitted.has_value() == may);
                if (!may) break;
                BOOST_TEST_REQUIRE(*admitted == queue.front());
                inside.insert(queue.front());
                queue.erase(queue.begin());
            }
        }
        BOOST_TEST_REQUIRE(gate.queued() == queue.size());
        BOOST_TEST_REQUIRE(gate.in_flight() == inside.size());
        BOOST_TEST_REQUIRE(gate.holds(key) == inside.contains(key));
    }
}

BOOST_AUTO_TEST_SUITE_END()
