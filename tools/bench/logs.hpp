// The way of a workload's output to its log on disk, against `cat` through a pipe to a file; and
// what a flood on that way does to the restart of another container.
#pragma once

#include <string>

#include "tools/bench/measure.hpp"

namespace mydocker::bench {

// MB of the workload's lines a second, `rounds` times `megabytes` of them.
Pair measure_log_throughput(const Bench& bench, unsigned rounds, unsigned megabytes);

// A container that writes lines for as long as this lives.
class Flood {
public:
    explicit Flood(const Bench& bench);
    ~Flood();
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;

private:
    Daemon& daemon_;
};

}  // namespace mydocker::bench
