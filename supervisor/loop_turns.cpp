// See loop_turns.hpp.
#include "supervisor/loop_turns.hpp"

#include <algorithm>

namespace mydocker::supervisor {

namespace {

LoopTurns turns;
std::chrono::steady_clock::time_point began;
int depth = 0;  // a handler may run another one within itself

}  // namespace

const LoopTurns& loop_turns() { return turns; }

void begin_loop_turn() {
    if (depth++ == 0) began = std::chrono::steady_clock::now();
}

void end_loop_turn() {
    if (--depth > 0) return;
    const auto took = std::chrono::steady_clock::now() - began;
    ++turns.count;
    if (took > LoopTurns::slow) ++turns.slow_count;
    turns.longest = std::max(turns.longest, took);
}

}  // namespace mydocker::supervisor
