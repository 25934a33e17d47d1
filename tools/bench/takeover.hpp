// What it costs to go on without mydockerd: it is upgraded in place and killed while containers
// run, and asked all the time; and how long its loop's turns are when they all end at once.
#pragma once

#include "tools/bench/measure.hpp"

namespace mydocker::bench {

struct Takeovers {
    Samples upgrade;  // milliseconds from one mydockerd's last answer to the next one's first
    Samples crash;    // the same after SIGKILL
    // Of the loop, as /metrics tells them, in ms: by the clock, and by the CPU time it took.
    double longest_turn = 0;
    double busiest_turn = 0;
};

// `count` containers run; every one must be the same process after each of `rounds` takeovers. Then
// all are killed at once, beside a flood of output and clients that do not read. Throws where one
// has changed.
Takeovers measure_takeovers(const Bench& bench, unsigned count, unsigned rounds);

}  // namespace mydocker::bench
