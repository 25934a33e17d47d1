// How a coroutine with much to do lets the loop turn: it rests between two pieces of its work,
// which gives way to everybody else once it has taken long enough. What it refers to may have gone
// away by then.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>

namespace mydocker::supervisor {

// Everything else that is ready goes first.
inline asio::awaitable<void> next_turn() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

class Stint {
public:
    static constexpr auto longest = std::chrono::milliseconds{2};

    asio::awaitable<void> rest() {
        if (Clock::now() - began_ < longest) co_return;
        co_await next_turn();
        began_ = Clock::now();
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point began_ = Clock::now();
};

}  // namespace mydocker::supervisor
