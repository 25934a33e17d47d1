// See channel.hpp.
#include "runtime/keeper/channel.hpp"

#include <errno.h>

#include "runtime/keeper/sys.hpp"

namespace mydocker::keeper {

namespace {

// One message costs under 1 KiB of this (a buffer's head, and what SCM_RIGHTS needs), so that
// max_keys of them fit and no end waits for the other.
constexpr int room = 8 << 20;

struct Control {
    alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof Packet::fds)];
};

}  // namespace

int open_pair(int32_t ends[2]) {
    const int error = sys::socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC, ends);
    if (error < 0) return -error;
    // SO_SNDBUF stops at net.core.wmem_max; SO_SNDBUFFORCE needs CAP_NET_ADMIN (socket(7)).
    for (int i = 0; i < 2; ++i)
        if (sys::set_option(ends[i], SO_SNDBUFFORCE, room) < 0)
            sys::set_option(ends[i], SO_SNDBUF, room);
    return 0;
}

int send(int socket, const Message& message, const int32_t* fds, int64_t deadline) {
    iovec data{const_cast<Message*>(&message), sizeof message};
    Control control{};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    if (const uint32_t count = fds == nullptr ? 0 : count_roles(message.roles); count != 0) {
        auto* const part = reinterpret_cast<cmsghdr*>(control.bytes);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(count * sizeof *fds);
        auto* const out = reinterpret_cast<int32_t*>(CMSG_DATA(part));
        for (uint32_t i = 0; i < count; ++i) out[i] = fds[i];
        header.msg_control = control.bytes;
        header.msg_controllen = part->cmsg_len;
    }
    for (;;) {
        const long sent = sys::sendmsg(socket, &header);
        if (sent >= 0) return 0;
        if (sent == -EINTR) continue;
        if (sent != -EAGAIN) return static_cast<int>(-sent);
        const int64_t left = deadline - sys::now();
        if (left <= 0) return ETIMEDOUT;
        pollfd writable{socket, POLLOUT, 0};
        sys::poll(&writable, 1, left);
    }
}

Received receive(int socket, Packet& packet) {
    iovec data{&packet.message, sizeof packet.message};
    Control control{};
    msghdr header{};
    long size = 0;
    // ECONNRESET says once that the other end has gone without reading all that we sent. What it
    // had sent itself can still be read after that (net/unix/af_unix.c, unix_release_sock).
    do {
        header.msg_iov = &data;
        header.msg_iovlen = 1;
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_LEN(sizeof Packet::fds);  // not its padding: one fits in there
        size = sys::recvmsg(socket, &header);
    } while (size == -EINTR || size == -ECONNRESET);
    if (size == -EAGAIN) return Received::nothing;
    if (size < 0) return Received::end;
    // One that was too long is none of ours, whatever its beginning.
    packet.bytes = (header.msg_flags & MSG_TRUNC) != 0 ? 0 : static_cast<size_t>(size);
    packet.count = 0;
    packet.truncated = (header.msg_flags & MSG_CTRUNC) != 0;
    const auto* const part = reinterpret_cast<const cmsghdr*>(control.bytes);
    if (header.msg_controllen >= sizeof *part && part->cmsg_level == SOL_SOCKET &&
        part->cmsg_type == SCM_RIGHTS) {
        const auto* const in = reinterpret_cast<const int32_t*>(CMSG_DATA(part));
        packet.count = static_cast<uint32_t>((part->cmsg_len - CMSG_LEN(0)) / sizeof *in);
        for (uint32_t i = 0; i < packet.count; ++i) packet.fds[i] = in[i];
    }
    // A message of no bytes is the end as well: mydockerd sends none.
    return size == 0 && packet.count == 0 ? Received::end : Received::packet;
}

}  // namespace mydocker::keeper
