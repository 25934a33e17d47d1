// The next mydockerd beside the one that runs: the real keeper starts it on request, and it waits
// for its turn or is not wanted any more.
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "tests/keeper_world.hpp"

using namespace mydocker;
using namespace mydocker::tests;

namespace {

// The first is at work and holds 1; the next has been prepared and has said that it could.
struct Waiting {
    explicit Waiting(const std::string& program = MYDOCKER_KEEPER) : world(program) {
        BOOST_TEST(first.tell("receive") == "0 0 1");
        first.tell("hold 1 one");
        first.tell("ready");
        BOOST_TEST(first.tell("prepare") == "ok");
    }
    Fake prepared() {
        Fake next = world.next();
        BOOST_TEST(next.keeper == world.pid);
        BOOST_TEST(next.tell("receive") == "prepare 1");  // what is mydockerd's own
        BOOST_TEST(next.tell("report 0 well") == "ok");
        BOOST_TEST(first.tell("heard") == "heard:well");
        return next;
    }
    KeeperWorld world;
    Fake first = world.next();
};

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_next)

BOOST_AUTO_TEST_CASE(it_waits_beside_and_is_greeted_after_the_end) {
    Waiting waiting;
    Fake next = waiting.prepared();
    BOOST_TEST(next.tell("text 0") == "own");
    // What happens meanwhile is not lost on it.
    waiting.first.tell("hold 2 two");
    waiting.first.tell("forget 1");
    ::kill(waiting.world.pid, SIGHUP);
    BOOST_TEST(waiting.first.tell("signal") == std::to_string(SIGHUP));
    waiting.first.tell("replace");
    waiting.first.order("exit 0");
    BOOST_TEST(next.tell("receive") == "0 0 2");
    BOOST_TEST(next.tell("text 2") == "two");
    BOOST_TEST(next.tell("text 1") == "none");
    BOOST_TEST(comes_to_hold(waiting.world.pid, 2));
    // Now it is mydockerd as any other.
    ::kill(waiting.world.pid, SIGUSR2);
    BOOST_TEST(next.tell("signal") == std::to_string(SIGUSR2));
    next.tell("ready");
    next.order("die");
    BOOST_TEST(waiting.world.next().tell("receive") == "1 9 2");
}

BOOST_AUTO_TEST_CASE(a_new_keeper_greets_it_too) {
    const KeeperProgram program;
    Waiting waiting(program.path());
    Fake next = waiting.prepared();
    program.renew();
    waiting.first.tell("replace");
    waiting.first.order("exit 0");
    BOOST_TEST(next.tell("receive") == "0 0 2");
    BOOST_TEST(next.tell("text 1") == "one");
    BOOST_TEST(file_run_by(waiting.world.pid) == number_of(program.path()));
    BOOST_TEST(comes_to_hold(waiting.world.pid, 2));
    BOOST_TEST(waiting.world.said().empty());
    next.tell("retire 7");
    next.order("exit 0");
    BOOST_TEST(waiting.world.end() == 7 << 8);
}

BOOST_AUTO_TEST_CASE(who_is_not_wanted_any_more_goes) {
    Waiting waiting;
    const Fake next = waiting.prepared();
    waiting.first.tell("dismiss");
    BOOST_TEST(eventually([&] { return is_gone(next.pid); }));
    BOOST_TEST(comes_to_hold(waiting.world.pid, 2));
    // Asked for again it is another one; and asked for once more.
    waiting.first.tell("prepare");
    const Fake second = waiting.prepared();
    waiting.first.tell("prepare");
    BOOST_TEST(eventually([&] { return is_gone(second.pid); }));
    const Fake third = waiting.prepared();
    // A crash is none of its turns.
    waiting.first.order("die");
    BOOST_TEST(eventually([&] { return is_gone(third.pid); }));
    Fake successor = waiting.world.next();
    BOOST_TEST(successor.tell("receive") == "1 9 2");
    BOOST_TEST(comes_to_hold(waiting.world.pid, 2));
    successor.tell("prepare");
    Fake last = waiting.world.next();
    BOOST_TEST(last.tell("receive") == "prepare 1");
    successor.tell("retire 0");
    successor.order("exit 0");
    BOOST_TEST(waiting.world.end() == 0);
    BOOST_TEST(eventually([&] { return is_gone(last.pid); }));
}

BOOST_AUTO_TEST_CASE(who_dies_in_waiting_is_heard_and_replaced) {
    Waiting waiting;
    Fake next = waiting.world.next();
    next.tell("receive");
    next.order("die");
    BOOST_TEST(waiting.first.tell("heard") == "heard:");
    BOOST_TEST(eventually([&] { return is_gone(next.pid); }));
    BOOST_TEST(comes_to_hold(waiting.world.pid, 2));
    waiting.first.tell("replace");
    waiting.first.order("exit 0");
    BOOST_TEST(waiting.world.next().tell("receive") == "0 0 2");
}

BOOST_AUTO_TEST_CASE(who_dies_when_it_is_its_turn_is_replaced) {
    Waiting waiting;
    Fake next = waiting.prepared();
    ::kill(waiting.world.pid, SIGSTOP);
    waiting.first.tell("replace");
    waiting.first.order("exit 0");
    next.order("die");
    BOOST_TEST(eventually([&] { return is_zombie_with(next.pid, SIGKILL); }));
    ::kill(waiting.world.pid, SIGCONT);
    BOOST_TEST(waiting.world.next().tell("receive") == "0 0 2");
    BOOST_TEST(is_gone(next.pid));
}

BOOST_AUTO_TEST_SUITE_END()
