// The arithmetic of judgement: the back-off at the edges of its numbers, the jitter's bounds, and
// the window of attempts to the microsecond.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <deque>
#include <iterator>
#include <limits>

#include "supervisor/verdict.hpp"
#include "tests/judging.hpp"

using namespace mydocker::judging;

BOOST_AUTO_TEST_SUITE(verdict_limits)

BOOST_AUTO_TEST_CASE(back_off_grows_to_its_cap) {
    const Restart restart = policy(Policy::always);
    const Duration golden[] = {100ms,  200ms,   400ms,   800ms,   1600ms, 3200ms,
                               6400ms, 12800ms, 25600ms, 51200ms, 1min,   1min};
    for (unsigned i = 0; i < std::size(golden); ++i)
        BOOST_TEST(backoff(restart, i, middle).count() == golden[i].count());
    for (const unsigned many : {64U, 1024U, 1'000'000U, 4'294'967'295U})
        BOOST_CHECK(backoff(restart, many, middle) == 1min);
}

BOOST_AUTO_TEST_CASE(back_off_at_the_edges_of_its_numbers) {
    constexpr unsigned most = std::numeric_limits<unsigned>::max();
    Restart restart = policy(Policy::always);
    restart.multiplier = 1.0;
    BOOST_CHECK(backoff(restart, most, middle) == 100ms);
    restart.delay = 0s;
    restart.multiplier = 1e300;
    BOOST_CHECK(backoff(restart, most, 0.9) == 0s);
    restart.delay = 1us;
    restart.max_delay = Duration::max();
    BOOST_CHECK(backoff(restart, most, 0.999) == Duration::max());
    BOOST_CHECK(backoff(restart, most, middle) == Duration::max());
    BOOST_CHECK(backoff(restart, 0, middle) == 1us);
    restart.delay = Duration::max();
    BOOST_CHECK(backoff(restart, 0, middle) == Duration::max());
    restart.max_delay = 5s;  // below the delay: it still is the most
    BOOST_CHECK(backoff(restart, 0, 0.999) == 5s);
    restart.multiplier = std::nan("");
    BOOST_CHECK(backoff(restart, 3, middle) == 5s);

    // The count of restarts in a row stays where it is rather than start over.
    const Judged judged = judge(policy(Policy::always), exited(1), {most, {}}, Wish::up, middle);
    BOOST_TEST(judged.history.consecutive == most);
    BOOST_CHECK(judged.verdict.delay == 1min);
    BOOST_TEST(judged.verdict.reason == "exited with code 1; restart 4294967296 in 1m (always)");
}

BOOST_AUTO_TEST_CASE(jitter_stays_within_its_share) {
    Restart restart = policy(Policy::always);
    restart.delay = 1s;
    BOOST_CHECK(backoff(restart, 0, 0.0) == 900ms);
    BOOST_CHECK(backoff(restart, 0, 0.25) == 950ms);
    BOOST_CHECK(backoff(restart, 0, 0.75) == 1050ms);
    BOOST_CHECK(backoff(restart, 0, std::nextafter(1.0, 0.0)) == 1100ms);
    restart.jitter = 1.0;
    BOOST_CHECK(backoff(restart, 0, 0.0) == 0s);
    BOOST_CHECK(backoff(restart, 0, std::nextafter(1.0, 0.0)) == 2s);
    restart.jitter = 0.0;
    BOOST_CHECK(backoff(restart, 0, 0.1) == 1s);
    restart.jitter = 0.5;
    for (unsigned i = 0; i <= 1000; ++i) {
        const Duration delay = backoff(restart, 40, i / 1000.1);
        BOOST_TEST_REQUIRE((delay >= 30s && delay <= 1min));
    }
}

BOOST_AUTO_TEST_CASE(a_good_run_starts_the_count_over) {
    Restart restart = policy(Policy::on_failure, 5);
    Ending ending = exited(3);
    ending.ready_for = 10s - 1us;
    Judged judged = judge(restart, ending, {5, {}}, Wish::up, middle);
    BOOST_TEST(compact(judged.verdict) == "failed window");
    BOOST_TEST(judged.verdict.reason ==
               "exited with code 3; 6th failure in a row, attempts = 5: given up");
    BOOST_TEST(judged.history.consecutive == 5U);

    ending.ready_for = 10s;  // before the window is judged
    judged = judge(restart, ending, {5, {}}, Wish::up, middle);
    BOOST_TEST(judged.verdict.reason == "exited with code 3; restart 1 of 5 in 100ms (on-failure)");
    BOOST_TEST(judged.history.consecutive == 1U);

    // A good run ends a row, not a window.
    restart.interval = 10min;
    const History full{5, {5, Time{59min}}};
    judged = judge(restart, ending, full, Wish::up, middle);
    BOOST_TEST(compact(judged.verdict) == "failed window");

    // reset_after = 0: any run is a good one, but a start that failed is no run.
    restart.interval = 0s;
    restart.reset_after = 0s;
    ending.ready_for = 0s;
    BOOST_TEST(verdict(restart, ending, {5, {}}).restart);
    BOOST_TEST(!verdict(restart, start_error(), {5, {}}).restart);
}

BOOST_AUTO_TEST_CASE(the_window_to_the_microsecond) {
    const Restart restart = policy(Policy::on_failure, 2, 10min);
    const Time first{1h};
    const History history{2, {first, first + 1min}};

    Judged judged = judge(restart, exited(3, first + 10min - 1us), history, Wish::up, middle);
    BOOST_TEST(compact(judged.verdict) == "failed window");
    BOOST_TEST(judged.verdict.failed);
    BOOST_TEST(!judged.verdict.shut_down);
    BOOST_TEST(judged.verdict.reason ==
               "exited with code 3; 3rd failure within 10m, attempts = 2: given up");

    judged = judge(restart, exited(3, first + 10min), history, Wish::up, middle);
    BOOST_TEST(judged.verdict.reason ==
               "exited with code 3; restart 2 of 2 within 10m, in 400ms (on-failure)");
    const std::deque<Time> left{first + 1min, first + 10min};
    BOOST_CHECK(judged.history.restarts == left);

    const Verdict clean =
        verdict(policy(Policy::always, 2, 10min), exited(0, first + 2min), history);
    BOOST_TEST(clean.failed);  // it should run and does not
    BOOST_TEST(clean.reason == "exited with code 0; 3rd end within 10m, attempts = 2: given up");
}

BOOST_AUTO_TEST_CASE(a_full_window_may_wait_or_shut_down) {
    Restart restart = policy(Policy::on_failure, 2, 10min, OnLimit::delay);
    const Time first{1h};
    const History history{2, {first, first + 1min}};
    Judged judged = judge(restart, exited(3, first + 3min + 5us), history, Wish::up, 0.9);
    BOOST_TEST(judged.verdict.restart);
    BOOST_CHECK(judged.verdict.rule == Rule::window);
    BOOST_CHECK(judged.verdict.delay == 7min - 5us);  // not jittered, not capped by max_delay
    BOOST_TEST(judged.verdict.reason ==
               "exited with code 3; 3rd failure within 10m, attempts = 2: restart in 7m, when one "
               "has left the window");
    const std::deque<Time> kept{first + 1min, first + 10min};  // counted from when it happens
    BOOST_CHECK(judged.history.restarts == kept);
    BOOST_TEST(judged.history.consecutive == 3U);

    // Never sooner than the delay would be without the limit.
    judged =
        judge(restart, exited(3, first + 10min - 1us), {9, history.restarts}, Wish::up, middle);
    BOOST_CHECK(judged.verdict.delay == 51200ms);

    restart.interval = 0s;
    judged = judge(restart, exited(3), {2, {}}, Wish::up, middle);
    BOOST_CHECK(judged.verdict.delay == 1min);
    BOOST_TEST(judged.verdict.reason ==
               "exited with code 3; 3rd failure in a row, attempts = 2: restart in 1m, the longest "
               "delay");

    restart.on_limit = OnLimit::shutdown;
    judged = judge(restart, exited(3), {2, {}}, Wish::up, middle);
    BOOST_TEST(judged.verdict.shut_down);
    BOOST_TEST(judged.verdict.failed);
    BOOST_TEST(!judged.verdict.restart);
    BOOST_TEST(judged.verdict.reason ==
               "exited with code 3; 3rd failure in a row, attempts = 2: given up, and mydockerd "
               "shuts down");
    // The limit holds for force_on too.
    restart.force_on = {{Status::Kind::code, 3}};
    BOOST_TEST(judge(restart, exited(3), {2, {}}, Wish::up, middle).verdict.shut_down);
}

BOOST_AUTO_TEST_CASE(a_reload_may_change_the_window_under_a_history) {
    const Time now{2h};
    const History history{4, {now - 4s, now - 3s, now - 2s, now - 1s}};
    Judged judged = judge(policy(Policy::always, 2, 10s, OnLimit::delay), exited(1, now), history,
                          Wish::up, middle);
    BOOST_CHECK(judged.verdict.delay == 8s);  // when the newest two allow it
    BOOST_TEST(judged.history.restarts.size() == 2U);
    judged = judge(policy(Policy::always, 10, 10s), exited(1, now), history, Wish::up, middle);
    BOOST_TEST(judged.history.restarts.size() == 5U);
    judged = judge(policy(Policy::always), exited(1, now), history, Wish::up, middle);
    BOOST_TEST(judged.history.restarts.empty());
    // An interval of 292,000 years: no overflow on the way to the clock's nanoseconds.
    judged = judge(policy(Policy::always, 4, Duration::max()), exited(1, now), history, Wish::up,
                   middle);
    BOOST_TEST(judged.verdict.failed);
}

BOOST_AUTO_TEST_CASE(ordinals) {
    const auto said = [](unsigned used) {
        const std::string reason =
            verdict(policy(Policy::always, used), exited(1), {used, {}}).reason;
        const auto from = reason.find("; ") + 2;
        return reason.substr(from, reason.find(" failure") - from);
    };
    const std::string golden =
        "2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 101st 111th 112th 4294967296th ";
    std::string all;
    for (const unsigned used : {1U, 2U, 3U, 10U, 11U, 12U, 20U, 21U, 22U, 100U, 110U, 111U,
                                std::numeric_limits<unsigned>::max()})
        all += said(used) + " ";
    BOOST_TEST(all == golden);
}

BOOST_AUTO_TEST_SUITE_END()
