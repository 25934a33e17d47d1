// What a client does when its connection breaks: mydockerd has died or is replaced by another, and
// will be there in a moment. When to try and when to give up is a value without a clock of its own;
// beside it stand the two ways to wait that block.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "tools/ctl/client.hpp"

namespace mydocker::ctl {

// Tries at once, then after 50 ms, doubling up to a second. Gives up after 30 s without a
// connection, and sooner where the socket's file is gone: then mydockerd was shut down. A
// connection that neither brought anything nor lived for a second does not count.
class Reconnection {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds first_delay{50};
    static constexpr std::chrono::milliseconds longest_delay{1'000};
    static constexpr std::chrono::milliseconds patience{30'000};
    static constexpr std::chrono::milliseconds patience_without_socket{1'000};

    void connected(Clock::time_point now) { connected_ = now; }
    void progressed() { progressed_ = true; }       // what was asked for comes in
    void broke(Clock::time_point now);              // the connection, or a try that had got one
    void failed(Clock::time_point now, int error);  // connect(2)'s error

    Clock::time_point next() const { return next_; }  // when to try
    Clock::time_point deadline() const { return begin_.value_or(Clock::time_point{}) + patience; }
    // Why to give up, as the end of a sentence; empty: not yet.
    std::string hopeless(Clock::time_point now) const;
    // Of a connection that has just been made, for people.
    std::string note(Clock::time_point now) const;

private:
    void back_off(Clock::time_point now);

    std::optional<Clock::time_point> begin_;      // of being away
    std::optional<Clock::time_point> connected_;  // since when
    std::optional<Clock::time_point> absent_;     // since when the socket has no file
    bool progressed_ = false;
    std::chrono::milliseconds delay_{0};
    Clock::time_point next_{};
};

// Throws Failure (125) once it is hopeless.
void require_hope(const Reconnection& reconnection, Reconnection::Clock::time_point now);

// A body that goes on across breaks.
struct SteadyStream {
    std::function<Request()> request;  // asked again after each break: goes on where it was
    HttpResponse::Sink sink;
    std::function<void()> on_break = {};  // half a line that has come is not to be continued
    bool silent = false;                  // no note on standard error
};

// Until the answer's proper end. Throws Failure (125) when mydockerd does not come back or shuts
// down, Refused for an error.
void stream_steadily(const Client& client, const SteadyStream& stream);

// Waits for an answer; where the request is harmless, it is sent again after each break, and a GET
// once more where the answer had not begun.
void finish_steadily(const Client& client, const Request& request, Exchange& exchange,
                     Reconnection& reconnection, Progress* progress);

// Throws Failure (125) for an answer in chunks that mydockerd could not finish.
void require_whole(const Exchange& exchange);

}  // namespace mydocker::ctl
