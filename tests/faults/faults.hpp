// System calls that fail on order. A test loads libmydocker-faults into mydockerd (LD_PRELOAD) and
// shares one page with it: the Nth call of those that can fail in this way does, once. Nothing of
// it is in mydockerd itself.
#pragma once

#include <atomic>

namespace mydocker::faults {

// The environment variable that names the file to share.
inline constexpr char variable[] = "MYDOCKER_FAULTS";

struct Order {
    std::atomic<int> error;      // the errno; also says which calls count
    std::atomic<int> countdown;  // 1: the next call; 0: nothing is ordered
    std::atomic<int> hits;       // how often a call was made to fail
    std::atomic<int> syncs;      // calls of fsync(2) and fdatasync(2)
    char last[32];               // its name
};

}  // namespace mydocker::faults
