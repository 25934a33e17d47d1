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
//      │ ── prepare + descriptor ──────────────────→│  starts the next one beside it:
//      │                              the next one ←│  held (mydockerd's own), prepare + descriptor
//      │ ←─ "ok", or what is in the way ───│        │  it has read all there is, and waits
//      │ ── replace ───────────────────────────────→│  its end is an upgrade, no crash: the keeper
//      ╳                                   │        │  executes itself anew, and goes on with
//                               the next one ←──────│  held, one a key; greeting
//      │ ── dismiss ───────────────────────────────→│  kills the next one. So does any other end
//      │ ── retire ────────────────────────────────→│  its end is the keeper's too
//
// A message that was sent is held: it lies in the socket even if mydockerd dies in the next moment,
// and the keeper drains the socket before it starts another. So nothing waits for an answer.
//
// The keeper that executes itself anew tells its successor with the same words: hold for each key,
// prepare for the next mydockerd (its pidfd, and our end of its socket), then greeting.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace mydocker::keeper {

inline constexpr uint32_t protocol = 2;  // its version, one digit
inline constexpr uint32_t magic_base = 0x6d794b30;
inline constexpr uint32_t magic = magic_base + protocol;  // "myK2"
inline constexpr uint32_t max_keys = 4000;                // attempts and exec sessions at once

// Whose descriptors: an attempt of a container, a command inside one, or mydockerd's own (all 0).
struct Key {
    uint8_t container[16];  // its id
    uint32_t attempt;
    uint32_t exec;  // 0: the container's init
};

// Which descriptor. In a message they come in this order; `roles` has a bit for each.
enum Role : uint32_t {
    role_process,   // a pidfd
    role_report,    // until the exec; of prepare: where the next one tells whether it could
    role_input,     // stdin's write end, or a terminal
    role_output,    // stdout's read end, or a terminal
    role_error,     // stderr's read end
    role_slave,     // of a terminal, so that it lasts while nobody inside has it open
    role_listener,  // of the control API
    role_lock,      // of the state directory
    role_count
};

enum class Verb : uint32_t {
    // mydockerd -> keeper
    hold,     // + descriptors: keep these under the key, beside what it has
    drop,     // close these roles of the key; with the last of them it is forgotten
    forget,   // close all of the key; its process is on record
    ready,    // mydockerd is at work
    replace,  // its end, which comes now, is no crash: start the next at once
    retire,   // its end is the keeper's too, with exit code `number`
    prepare,  // + role_report: the next one may begin to read. To that one, the keeper says it too
    dismiss,  // it is not wanted any more
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

constexpr uint32_t count_roles(uint32_t roles) {
    uint32_t count = 0;
    for (uint32_t role = 0; role < role_count; ++role) count += roles >> role & 1;
    return count;
}

// Whose message it is: the keeper's, or mydockerd's.
constexpr bool is_from_keeper(Verb verb) {
    return verb == Verb::held || verb == Verb::greeting || verb == Verb::prepare;
}
constexpr bool is_from_mydockerd(Verb verb) { return verb < Verb::held; }

// Whether `bytes` bytes with `fds` descriptors are a message of ours: whole, of this version, each
// descriptor named by a role. Both sides ask this of all that they receive.
constexpr bool valid(const Message& message, size_t bytes, size_t fds) {
    if (bytes != sizeof message || message.magic != magic) return false;
    if (message.verb > Verb::greeting || message.roles >> role_count != 0) return false;
    const bool brings =
        message.verb == Verb::hold || message.verb == Verb::held || message.verb == Verb::prepare;
    if (fds != (brings ? count_roles(message.roles) : 0)) return false;
    if ((brings || message.verb == Verb::drop) && message.roles == 0) return false;
    const bool has_process = (message.roles & 1U << role_process) != 0;
    if (message.verb == Verb::prepare &&
        (message.roles & ~(1U << role_process)) != 1U << role_report)
        return false;
    return !brings || !has_process || message.pid > 0;
}

}  // namespace mydocker::keeper
