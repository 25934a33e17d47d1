// Whole lives on a virtual clock: a container that crashes, is judged, waits and crashes again, for
// years if need be. Only the clock is made up; it moves forward by run times and by verdicts.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "supervisor/verdict.hpp"

using namespace mydocker;
using namespace mydocker::supervisor;
using namespace std::chrono_literals;
using config::Duration;
using config::OnLimit;
using config::Policy;
using config::Restart;

namespace {

class Life {
public:
    explicit Life(Restart policy) : policy_(std::move(policy)) {}

    // One attempt that is ready for so long and then exits with a code. Time passes until the
    // verdict's restart.
    Verdict attempt(Duration ready_for, int code = 1, double chance = 0.5) {
        now_ += ready_for;
        const Ending ending{Ending::Kind::code,
                            code,
                            code == 0 ? std::nullopt : std::optional{config::Cause::exit},
                            "",
                            now_,
                            ready_for};
        Judged judged = judge(policy_, ending, history_, Wish::up, chance);
        history_ = std::move(judged.history);
        now_ += judged.verdict.delay;
        return judged.verdict;
    }

    // The delays of so many attempts.
    std::vector<Duration> delays(std::size_t count, Duration ready_for) {
        std::vector<Duration> all;
        for (std::size_t i = 0; i < count; ++i) all.push_back(attempt(ready_for).delay);
        return all;
    }

    Time now() const { return now_; }
    const History& history() const { return history_; }

private:
    Restart policy_;
    History history_;
    Time now_{1h};
};

Restart on_failure() {
    Restart policy;
    policy.policy = Policy::on_failure;
    return policy;
}

const std::vector<Duration> golden = {100ms,  200ms,   400ms,   800ms,   1600ms, 3200ms,
                                      6400ms, 12800ms, 25600ms, 51200ms, 1min,   1min};

}  // namespace

BOOST_AUTO_TEST_SUITE(crash_loop)

BOOST_AUTO_TEST_CASE(delays_double_up_to_a_minute) {
    Life life{on_failure()};
    BOOST_CHECK(life.delays(golden.size(), 1ms) == golden);
    BOOST_TEST(life.history().consecutive == golden.size());
}

BOOST_AUTO_TEST_CASE(a_good_run_starts_the_delays_over) {
    Life life{on_failure()};
    life.delays(40, 9s);
    BOOST_CHECK(life.attempt(9s).delay == 1min);
    BOOST_CHECK(life.attempt(10s).delay == 100ms);
    BOOST_CHECK(life.attempt(0s).delay == 200ms);
    // Years of uptime, more than once in the clock's 292 years.
    for (int i = 0; i < 4; ++i) BOOST_CHECK(life.attempt(20h * 24 * 365).delay == 100ms);
    BOOST_CHECK(life.attempt(0s).delay == 200ms);
}

BOOST_AUTO_TEST_CASE(given_up_at_the_sixth_crash_within_ten_minutes) {
    Restart policy = on_failure();
    policy.attempts = 5;
    policy.interval = 10min;
    Life life{policy};
    for (int i = 0; i < 5; ++i) BOOST_TEST(life.attempt(1s).restart);
    const Verdict last = life.attempt(1s);
    BOOST_TEST(last.failed);
    BOOST_TEST(last.reason == "exited with code 1; 6th failure within 10m, attempts = 5: given up");
}

// interface.md's example of a limit that can never fire: the delays of 20 attempts take too long.
BOOST_AUTO_TEST_CASE(twenty_attempts_in_ten_minutes_never_give_up) {
    Restart policy = on_failure();
    policy.attempts = 20;
    policy.interval = 10min;
    Life life{policy};
    std::size_t most = 0;
    for (int i = 0; i < 10'000; ++i) {
        BOOST_TEST_REQUIRE(life.attempt(0s).restart);
        most = std::max(most, life.history().restarts.size());
    }
    BOOST_TEST(most < 20U);
}

// on_limit = delay: it never ends, and no interval sees more than `attempts` restarts.
BOOST_AUTO_TEST_CASE(a_waiting_limit_keeps_the_rate) {
    Restart policy = on_failure();
    policy.attempts = 5;
    policy.interval = 10min;
    policy.on_limit = OnLimit::delay;
    policy.delay = 0s;
    Life life{policy};
    std::vector<Time> restarts;
    for (int i = 0; i < 1000; ++i) {
        BOOST_TEST_REQUIRE(life.attempt(1s).restart);
        restarts.push_back(life.now());
    }
    for (std::size_t i = 5; i < restarts.size(); ++i)
        BOOST_TEST_REQUIRE((restarts[i] - restarts[i - 5] >= 10min));
    BOOST_CHECK(restarts.back() - restarts.front() < 200 * 10min);  // and waits no longer than that
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_crashes_keep_little) {
    Restart policy = on_failure();
    policy.delay = 0s;
    policy.attempts = 7;
    policy.interval = 1h;
    policy.on_limit = OnLimit::delay;
    Life life{policy};
    std::mt19937 random{7};
    Time before = life.now();
    for (int i = 0; i < 100'000; ++i) {
        const Duration ready_for{random() % 20'000'000};
        const Verdict verdict = life.attempt(ready_for, 1, (random() % 1000) / 1000.0);
        BOOST_TEST_REQUIRE(verdict.restart);
        BOOST_TEST_REQUIRE((verdict.delay >= 0s && verdict.delay <= 1h));
        BOOST_TEST_REQUIRE(life.history().restarts.size() <= 7U);
        BOOST_TEST_REQUIRE(
            std::is_sorted(life.history().restarts.begin(), life.history().restarts.end()));
        BOOST_TEST_REQUIRE((life.now() >= before));
        before = life.now();
    }
    // Without a limit nothing at all is kept but a count.
    Life unlimited{on_failure()};
    for (int i = 0; i < 100'000; ++i) unlimited.attempt(0s);
    BOOST_TEST(unlimited.history().restarts.empty());
    BOOST_TEST(unlimited.history().consecutive == 100'000U);
    BOOST_CHECK(unlimited.attempt(0s).delay == 1min);
}

BOOST_AUTO_TEST_CASE(clean_ends_of_always_back_off_too) {
    Restart policy = on_failure();
    policy.policy = Policy::always;
    Life life{policy};
    BOOST_CHECK(life.attempt(0s, 0).delay == 100ms);
    BOOST_CHECK(life.attempt(0s, 0).delay == 200ms);
    BOOST_CHECK(life.attempt(0s, 1).delay == 400ms);
}

BOOST_AUTO_TEST_SUITE_END()
