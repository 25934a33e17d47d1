// One container's inbox: everything that happens to it comes through here, and its coroutine is the
// only reader. Each event carries the attempt it belongs to, so that a late one can be told apart.
#pragma once

#include <asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "supervisor/lifecycle.hpp"
#include "supervisor/waker.hpp"

namespace mydocker::supervisor {

struct Message {
    Event event;
    std::uint64_t attempt = 0;  // 0: of no attempt (a command, a slot)
};

class Inbox {
public:
    explicit Inbox(const asio::any_io_executor& executor) : waker_(executor) {}

    void post(Event event, std::uint64_t attempt = 0) {
        messages_.push_back({event, attempt});
        waker_.poke();
    }

    // The next message; Event::deadline once the deadline has passed and nothing else is here;
    // nullopt after close().
    asio::awaitable<std::optional<Message>> next(const std::optional<Waker::Time>& deadline) {
        for (;;) {
            if (closed_) co_return std::nullopt;
            if (!messages_.empty()) {
                const Message message = messages_.front();
                messages_.erase(messages_.begin());  // few at a time
                co_return message;
            }
            if (deadline && std::chrono::steady_clock::now() >= *deadline)
                co_return Message{Event::deadline};
            co_await waker_.pause(deadline);
        }
    }

    // Makes the reader look at its deadline again.
    void nudge() { waker_.poke(); }

    void close() {
        closed_ = true;
        waker_.poke();
    }

private:
    Waker waker_;
    std::vector<Message> messages_;  // a deque would take half a kilobyte when empty
    bool closed_ = false;
};

}  // namespace mydocker::supervisor
