// What mydockerd and its keeper say to each other, over one SOCK_SEQPACKET socket. Both sides
// include this header; it uses nothing of the C++ library, since the keeper has none.
//
//   mydockerd (first start)                       mydocker-keeper
//      │  hold lock, hold listener … ─→ socket      │
//      └──────────── execve ───────────────────────→│  drains the socket to its end
//                                                   │  forks and executes mydockerd:
//   mydockerd                                       │
//      │ ←─ held + descriptors, one a key ──────────│
//      │ ←─ greeting ───────────────────────────────│
//      │ ── ready ─────────────────────────────────→│  its back-off starts over
//      │ ── hold + descriptors (an init's, before its release) ─→│
//      │ ── drop (its report, once executed) ──────→│
//      │ ── forget (its end is on record) ─────────→│  closes; reaps it if it is the keeper's child
//      ╳  it dies                                   │  drains the socket to its end,
//                                                   │  then forks and executes the next
//      │ ── replace ───────────────────────────────→│  its end is an upgrade, no crash: the keeper
//      │                                            │  executes itself anew, then the next mydockerd
//      │ ── retire ────────────────────────────────→│  its end is the keeper's too
//
// A message that was sent is held: it lies in the socket even if mydockerd dies in the next moment,
// and the keeper drains the socket before it starts another. So nothing waits for an answer.
#pragma once

#include <stdint.h>

namespace mydocker::keeper {

inline constexpr uint32_t magic = 0x6d794b31;  // "myK1": the last digit is the protocol's version
inline constexpr uint32_t max_keys = 4096;     // attempts and exec sessions at once

// Whose descriptors: an attempt of a container, a command inside one, or mydockerd's own (all 0).
struct Key {
    uint8_t container[16];  // its id
    uint32_t attempt;
    uint32_t exec;  // 0: the container's init
};

// Which descriptor. In a message they come in this order; `roles` has a bit for each.
enum Role : uint32_t {
    role_process,   // a pidfd
    role_report,    // until the exec
    role_input,     // stdin's write end, or a terminal
    role_output,    // stdout's read end, or a terminal
    role_error,     // stderr's read end
    role_listener,  // of the control API
    role_lock,      // of the state directory
    role_count
};

enum class Verb : uint32_t {
    // mydockerd -> keeper
    hold,     // + descriptors: keep these under the key, beside what it has
    drop,     // close these roles of the key
    forget,   // close all of the key; its process is on record
    ready,    // mydockerd is at work
    replace,  // its end, which comes now, is no crash: start the next at once
    retire,   // its end is the keeper's too, with exit code `number`
    // keeper -> mydockerd
    held,     // + descriptors: one for each key
    greeting  // all has been told; `number`: crashes in a row before this; `status`: waitpid(2)'s
};

struct Message {
    uint32_t magic;
    Verb verb;
    Key key;
    int32_t pid;     // of role_process
    uint32_t roles;  // bits: 1 << Role
    uint32_t number;
    int32_t status;
};
static_assert(sizeof(Message) == 48);

}  // namespace mydocker::keeper
