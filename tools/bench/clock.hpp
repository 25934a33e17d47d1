// CLOCK_MONOTONIC in nanoseconds, as the floor and the workload write it down too.
#pragma once

#include <ctime>

#include <cstdint>

namespace mydocker::bench {

using Nanoseconds = std::int64_t;

inline Nanoseconds now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace mydocker::bench
