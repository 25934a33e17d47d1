// What mydocker-bench asks of mydocker-floor, and what it hears: one message each way on a
// SOCK_SEQPACKET socket, which is the floor's standard input.
#pragma once

#include <stdint.h>

namespace mydocker::floor {

// What a container of the floor is given; each mirrors what mydockerd gives its own.
enum class Recipe : uint32_t {
    minimal,  // pid, mount, uts, ipc and cgroup namespaces, /proc, a minimal /dev
    full      // and all that a container of mydockerd has by default: see floor/container.cpp
};

enum class Command : uint32_t {
    run,      // `count` containers of mydocker-true, at most `in_flight` at once, to their removal
    keep,     // one container of mydocker-pause, left running
    replace,  // kill -9 it, reap, remove its cgroup, start its successor
    drop      // kill -9 it, reap, remove its cgroup
};

inline constexpr uint32_t most_in_flight = 64;

struct Request {
    Command command;
    Recipe recipe;
    uint32_t count;
    uint32_t in_flight;
};

// CLOCK_MONOTONIC in nanoseconds, before the first system call and after the last.
struct Reply {
    int64_t began;
    int64_t ended;
    int32_t error;  // errno; 0: all went well
    char step[60];  // what failed
};

}  // namespace mydocker::floor
