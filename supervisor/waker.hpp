// How a coroutine waits for "something happened" without losing it: one timer that is both wake-up
// and deadline, and a flag that remembers a poke which came before the wait. Whoever makes things
// happen owns a Bell; whoever waits subscribes a Waker to it, asks again what is true, and pauses.
#pragma once

#include <algorithm>
#include <asio/awaitable.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <vector>

namespace mydocker::supervisor {

class Waker {
public:
    using Time = std::chrono::steady_clock::time_point;
    explicit Waker(const asio::any_io_executor& executor) : timer_(executor) {}

    void poke() {
        poked_ = true;
        timer_.cancel();
    }

    // Returns at once after an unseen poke, else at the next poke or at the deadline: true for a
    // poke.
    asio::awaitable<bool> pause(std::optional<Time> deadline = std::nullopt) {
        if (!poked_) {
            timer_.expires_at(deadline.value_or(Time::max()));
            co_await timer_.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
        }
        co_return std::exchange(poked_, false);
    }

private:
    asio::steady_timer timer_;
    bool poked_ = false;
};

class Bell {
public:
    // Subscribed for as long as it lives; must not outlive the bell or the waker.
    class Subscription {
    public:
        Subscription(Bell& bell, Waker& waker) : bell_(bell), waker_(waker) {
            bell_.wakers_.push_back(&waker_);
        }
        ~Subscription() {
            const auto it = std::ranges::find(bell_.wakers_, &waker_);
            if (it != bell_.wakers_.end()) bell_.wakers_.erase(it);
        }
        Subscription(const Subscription&) = delete;
        Subscription& operator=(const Subscription&) = delete;

    private:
        Bell& bell_;
        Waker& waker_;
    };

    void ring() {
        for (Waker* waker : wakers_) waker->poke();
    }
    bool has_listeners() const { return !wakers_.empty(); }

private:
    std::vector<Waker*> wakers_;
};

}  // namespace mydocker::supervisor
