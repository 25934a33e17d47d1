// A socket of messages with descriptors (unix(7)): the pair, one message out, one message in.
// Nothing here waits, but send() up to its deadline.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/keeper/wire.hpp"

namespace mydocker::keeper {

// What came in: to be judged by valid(). Its descriptors are the receiver's to close.
struct Packet {
    Message message;
    size_t bytes;
    uint32_t count;
    int32_t fds[role_count + 1];
    bool truncated;  // descriptors were lost: too many, or no number was free for them
};

enum class Received { packet, nothing, end };

// Two ends, close-on-exec, with room for all keys at once. 0, or errno.
int open_pair(int32_t ends[2]);

// The descriptors stand in the order of their roles. 0, or errno; ETIMEDOUT where the reader has
// taken none until `deadline` (sys::now()).
int send(int socket, const Message& message, const int32_t* fds, int64_t deadline);

Received receive(int socket, Packet& packet);

}  // namespace mydocker::keeper
