// What the keeper holds, with numbers for descriptors: each is closed once, and none too early. And
// which messages are any.
#include "runtime/keeper/table.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "runtime/keeper/back_off.hpp"

using namespace mydocker::keeper;

namespace {

constexpr std::uint32_t process = 1U << role_process;
constexpr std::uint32_t output = 1U << role_output;

Key key(std::uint32_t attempt, std::uint32_t exec = 0) {
    Key made{};
    made.container[15] = 1;
    made.attempt = attempt;
    made.exec = exec;
    return made;
}

Message message(Verb verb, const Key& of, std::uint32_t roles, std::int32_t pid = 0) {
    return {magic, verb, of, pid, roles, 0, 0};
}

struct World {
    auto close() {
        return [this](std::int32_t fd) { closed.push_back(fd); };
    }
    bool hold(const Key& of, std::uint32_t roles, std::vector<std::int32_t> fds, int pid = 0) {
        return table.hold(message(Verb::hold, of, roles, pid), fds.data(), close());
    }
    Table<3> table;
    std::vector<std::int32_t> closed;
};

using Numbers = std::vector<std::int32_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_table)

BOOST_AUTO_TEST_CASE(roles_are_added_and_replaced) {
    World world;
    BOOST_TEST(world.hold(key(1), process | output, {10, 11}, 100));
    BOOST_TEST(world.hold(key(1), 1U << role_report | output, {12, 13}));
    BOOST_TEST(world.closed == Numbers{11}, boost::test_tools::per_element());
    const Entry* entry = world.table.find(key(1));
    BOOST_REQUIRE(entry != nullptr);
    BOOST_TEST(entry->fds[role_process] == 10);
    BOOST_TEST(entry->fds[role_report] == 12);
    BOOST_TEST(entry->fds[role_output] == 13);
    BOOST_TEST(entry->fds[role_input] == -1);
    BOOST_TEST(entry->pid == 100);
    BOOST_TEST(world.table.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_key_is_all_of_its_parts) {
    World world;
    Key other = key(1);
    other.container[0] = 9;
    world.hold(key(1), output, {10});
    BOOST_TEST(world.table.find(key(2)) == nullptr);
    BOOST_TEST(world.table.find(key(1, 1)) == nullptr);
    BOOST_TEST(world.table.find(other) == nullptr);
    world.table.forget(key(2), world.close());
    BOOST_TEST(world.closed.empty());
}

BOOST_AUTO_TEST_CASE(a_pid_is_known_for_as_long_as_its_process_is_held) {
    World world;
    world.hold(key(1), process | output, {10, 11}, 100);
    BOOST_TEST(world.table.holds_pid(100));
    BOOST_TEST(!world.table.holds_pid(0));
    world.table.drop(key(1), process, world.close());
    BOOST_TEST(!world.table.holds_pid(100));
    BOOST_TEST(world.closed == Numbers{10}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(with_its_last_role_a_key_is_gone_and_the_others_stay) {
    World world;
    world.hold(key(1), output, {10});
    world.hold(key(2), output, {20});
    world.hold(key(3), output, {30});
    world.table.drop(key(1), output | process, world.close());
    world.table.drop(key(1), output, world.close());
    BOOST_TEST(world.closed == Numbers{10}, boost::test_tools::per_element());
    BOOST_TEST(world.table.size() == 2U);
    BOOST_TEST(world.table.find(key(2))->fds[role_output] == 20);
    BOOST_TEST(world.table.find(key(3))->fds[role_output] == 30);
    BOOST_TEST(world.hold(key(4), output, {40}));
}

BOOST_AUTO_TEST_CASE(a_full_table_closes_what_comes) {
    World world;
    for (int i = 1; i <= 3; ++i) BOOST_TEST(world.hold(key(i), output, {i}));
    BOOST_TEST(!world.hold(key(4), process | output, {40, 41}, 100));
    BOOST_TEST(world.closed == (Numbers{40, 41}), boost::test_tools::per_element());
    BOOST_TEST(world.table.find(key(4)) == nullptr);
    BOOST_TEST(world.hold(key(3), process, {42}, 100));
}

BOOST_AUTO_TEST_CASE(mydockerds_own_is_no_attempt) {
    World world;
    world.hold(Key{}, 1U << role_lock, {10});
    BOOST_TEST(!world.table.holds_attempts());
    world.hold(key(1), output, {11});
    BOOST_TEST(world.table.holds_attempts());
}

BOOST_AUTO_TEST_CASE(a_message_names_each_descriptor) {
    const Message hold = message(Verb::hold, key(1), process | output, 100);
    BOOST_TEST(valid(hold, sizeof hold, 2));
    BOOST_TEST(!valid(hold, sizeof hold, 1));
    BOOST_TEST(!valid(hold, sizeof hold, 3));
    BOOST_TEST(!valid(hold, sizeof hold - 1, 2));
    BOOST_TEST(!valid(message(Verb::hold, key(1), process | output, 0), sizeof hold, 2));
    BOOST_TEST(!valid(message(Verb::hold, key(1), 1U << role_count | output), sizeof hold, 2));
    BOOST_TEST(!valid(message(Verb::hold, key(1), 0), sizeof hold, 0));
    BOOST_TEST(valid(message(Verb::drop, key(1), output), sizeof hold, 0));
    BOOST_TEST(!valid(message(Verb::drop, key(1), output), sizeof hold, 1));
    BOOST_TEST(!valid(message(Verb::drop, key(1), 0), sizeof hold, 0));
    for (const Verb verb :
         {Verb::forget, Verb::ready, Verb::replace, Verb::retire, Verb::dismiss, Verb::greeting})
        BOOST_TEST(valid(message(verb, key(1), 0), sizeof hold, 0));
    constexpr std::uint32_t report = 1U << role_report;
    BOOST_TEST(valid(message(Verb::prepare, {}, report), sizeof hold, 1));
    BOOST_TEST(valid(message(Verb::prepare, {}, report | process, 100), sizeof hold, 2));
    BOOST_TEST(!valid(message(Verb::prepare, {}, 0), sizeof hold, 0));
    BOOST_TEST(!valid(message(Verb::prepare, {}, process, 100), sizeof hold, 1));
    BOOST_TEST(!valid(message(Verb::prepare, {}, report | output), sizeof hold, 2));
    BOOST_TEST(!valid(message(static_cast<Verb>(10), key(1), 0), sizeof hold, 0));
    Message other = message(Verb::ready, {}, 0);
    other.magic += 1;
    BOOST_TEST(!valid(other, sizeof other, 0));
}

BOOST_AUTO_TEST_CASE(the_back_off_doubles_up_to_ten_seconds) {
    const std::vector<std::int64_t> golden = {0,   0,    50,   100,  200,   400,
                                              800, 1600, 3200, 6400, 10000, 10000};
    for (std::uint32_t crashes = 0; crashes < golden.size(); ++crashes)
        BOOST_TEST(back_off(crashes) == golden[crashes]);
    BOOST_TEST(back_off(4'000'000'000U) == 10'000);
}

BOOST_AUTO_TEST_SUITE_END()
