// How long the loop's turns are, measured by the loop itself: Asio calls these macros around every
// handler it runs (ASIO_CUSTOM_HANDLER_TRACKING, asio/detail/handler_tracking.hpp). A turn that
// blocks makes everybody else wait, so the longest one is exported (`/metrics`).
#pragma once

#include <chrono>
#include <cstdint>

namespace mydocker::supervisor {

struct LoopTurns {
    static constexpr auto slow = std::chrono::milliseconds{20};

    std::uint64_t count = 0;
    std::uint64_t slow_count = 0;  // those longer than that
    std::chrono::steady_clock::duration longest{};
    std::chrono::nanoseconds busiest{};  // the most CPU time that one took
};

const LoopTurns& loop_turns();
void begin_loop_turn();
void end_loop_turn();

}  // namespace mydocker::supervisor

#define ASIO_INHERIT_TRACKED_HANDLER
#define ASIO_ALSO_INHERIT_TRACKED_HANDLER
#define ASIO_HANDLER_TRACKING_INIT (void)0
#define ASIO_HANDLER_LOCATION(args) (void)0  // Asio 1.22 asks for this one too
#define ASIO_HANDLER_CREATION(args) (void)0
#define ASIO_HANDLER_COMPLETION(args) (void)0
#define ASIO_HANDLER_INVOCATION_BEGIN(args) ::mydocker::supervisor::begin_loop_turn()
#define ASIO_HANDLER_INVOCATION_END ::mydocker::supervisor::end_loop_turn()
#define ASIO_HANDLER_OPERATION(args) (void)0
#define ASIO_HANDLER_REACTOR_REGISTRATION(args) (void)0
#define ASIO_HANDLER_REACTOR_DEREGISTRATION(args) (void)0
#define ASIO_HANDLER_REACTOR_READ_EVENT 0
#define ASIO_HANDLER_REACTOR_WRITE_EVENT 0
#define ASIO_HANDLER_REACTOR_ERROR_EVENT 0
#define ASIO_HANDLER_REACTOR_EVENTS(args) (void)0
#define ASIO_HANDLER_REACTOR_OPERATION(args) (void)0
