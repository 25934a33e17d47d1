// See loop_turns.hpp.
#include "supervisor/loop_turns.hpp"

#include <time.h>

#include <algorithm>

namespace mydocker::supervisor {

namespace {

LoopTurns turns;
std::chrono::steady_clock::time_point began;
std::chrono::nanoseconds cpu_before;
int depth = 0;  // a handler may run another one within itself

std::chrono::nanoseconds cpu_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

const LoopTurns& loop_turns() { return turns; }

void begin_loop_turn() {
    if (depth++ > 0) return;
    cpu_before = cpu_time();
    began = std::chrono::steady_clock::now();
}

void end_loop_turn() {
    if (--depth > 0) return;
    const auto took = std::chrono::steady_clock::now() - began;
    ++turns.count;
    if (took > LoopTurns::slow) ++turns.slow_count;
    turns.longest = std::max(turns.longest, took);
    turns.busiest = std::max(turns.busiest, cpu_time() - cpu_before);
}

}  // namespace mydocker::supervisor
