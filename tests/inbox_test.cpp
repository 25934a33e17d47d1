// A container's inbox: nothing posted is lost, whenever it was posted, and a deadline is told only
// when there is nothing else to tell.
#include "supervisor/inbox.hpp"

#include <asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "tests/scratch.hpp"

using namespace mydocker::supervisor;
using namespace std::chrono_literals;

namespace {

using SteadyClock = std::chrono::steady_clock;

struct World {
    asio::io_context loop{1};
    Inbox inbox{loop.get_executor()};
    std::vector<Event> got;
    std::vector<std::uint64_t> attempts;
    bool closed = false;
    std::optional<SteadyClock::time_point> deadline;

    // Reads until it is closed, or told of the deadline.
    asio::awaitable<void> reader() {
        while (const auto message = co_await inbox.next(deadline)) {
            got.push_back(message->event);
            attempts.push_back(message->attempt);
            if (message->event == Event::deadline) co_return;
        }
        closed = true;
    }
    void read() { asio::co_spawn(loop, reader(), asio::use_future); }
    template <class Action>
    void in(std::chrono::milliseconds time, Action action) {
        const auto timer = std::make_shared<asio::steady_timer>(loop, time);
        timer->async_wait([timer, action](const asio::error_code&) { action(); });
    }
};

using Events = std::vector<Event>;

}  // namespace

BOOST_AUTO_TEST_SUITE(inbox)

BOOST_AUTO_TEST_CASE(messages_come_in_order_with_their_attempts) {
    World world;
    world.inbox.post(Event::start);
    world.inbox.post(Event::built, 3);
    world.read();
    world.in(5ms, [&] {
        world.inbox.post(Event::executed, 4);
        world.inbox.post(Event::exited, 5);
        world.in(5ms, [&] { world.inbox.close(); });  // from here on: a busy machine may be late
    });
    world.loop.run();
    BOOST_CHECK(world.got == Events({Event::start, Event::built, Event::executed, Event::exited}));
    BOOST_CHECK((world.attempts == std::vector<std::uint64_t>{0, 3, 4, 5}));
    BOOST_TEST(world.closed);
}

BOOST_AUTO_TEST_CASE(a_deadline_is_told_when_it_is_due_and_not_before) {
    World world;
    const auto begin = SteadyClock::now();
    world.deadline = begin + 30ms;
    world.read();
    world.loop.run();
    BOOST_CHECK(world.got == Events({Event::deadline}));
    BOOST_CHECK(SteadyClock::now() - begin >= 30ms);
}

BOOST_AUTO_TEST_CASE(a_message_goes_before_a_deadline_that_is_past) {
    World world;
    world.deadline = SteadyClock::now() - 1s;
    world.inbox.post(Event::exited, 1);
    world.read();
    world.loop.run();
    BOOST_CHECK(world.got == Events({Event::exited, Event::deadline}));
}

BOOST_AUTO_TEST_CASE(a_message_before_the_wait_wakes_the_reader) {
    World world;
    world.read();
    // Posted by the very turn that makes the reader wait, before and after it does.
    asio::post(world.loop, [&] { world.inbox.post(Event::start); });
    world.inbox.post(Event::slot);
    world.in(5ms, [&] { world.inbox.close(); });
    world.loop.run();
    BOOST_CHECK(world.got == Events({Event::slot, Event::start}));
}

BOOST_AUTO_TEST_CASE(a_poke_of_long_ago_is_no_message) {
    World world;
    world.inbox.nudge();
    world.inbox.nudge();
    const auto begin = SteadyClock::now();
    world.deadline = begin + 20ms;
    world.read();
    world.loop.run();
    BOOST_CHECK(world.got == Events({Event::deadline}));
    BOOST_CHECK(SteadyClock::now() - begin >= 20ms);
}

// A more impatient second stop does this.
BOOST_AUTO_TEST_CASE(a_deadline_moved_while_waiting_is_seen_after_a_nudge) {
    World world;
    world.deadline = SteadyClock::now() + 1h;
    world.read();
    const auto begin = SteadyClock::now();
    world.in(5ms, [&] {
        world.deadline = SteadyClock::now() + 10ms;
        world.inbox.nudge();
    });
    world.in(3s, [&] { world.inbox.close(); });
    world.loop.run_until(begin + 2s);
    BOOST_CHECK(world.got == Events({Event::deadline}));
}

BOOST_AUTO_TEST_CASE(a_closed_inbox_has_nothing_more_to_say) {
    World world;
    world.inbox.post(Event::start);
    world.inbox.close();
    world.read();
    world.loop.run();
    BOOST_TEST(world.got.empty());
    BOOST_TEST(world.closed);
}

BOOST_AUTO_TEST_SUITE_END()
