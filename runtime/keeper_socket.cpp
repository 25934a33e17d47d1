// See keeper_socket.hpp.
#include "runtime/keeper_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtime/error.hpp"

namespace mydocker::runtime {

namespace {

constexpr char hear[] = "hear from mydocker-keeper";
constexpr char tell[] = "tell mydocker-keeper";
constexpr int number = 3;      // the keeper's socket, by agreement
constexpr int room = 8 << 20;  // bytes: all keys at once
constexpr std::size_t most_fds = keeper::role_count;

struct Control {
    alignas(cmsghdr) char bytes[CMSG_SPACE((most_fds + 1) * sizeof(int))];
};

std::vector<UniqueFd> take_fds(const msghdr& header) {
    std::vector<UniqueFd> fds;
    const cmsghdr* part = CMSG_FIRSTHDR(&header);
    if (part == nullptr || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
        return fds;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int numbers[sizeof(Control) / sizeof(int)];
    std::memcpy(numbers, CMSG_DATA(part), std::min(count * sizeof(int), sizeof numbers));
    for (std::size_t i = 0; i < count; ++i) fds.emplace_back(numbers[i]);
    return fds;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

}  // namespace

KeeperSocket::KeeperSocket(UniqueFd socket) : socket_(std::move(socket)) {
    must(::fcntl(socket_.get(), F_SETFD, FD_CLOEXEC), "keep the keeper's socket to ourselves");
}

void KeeperSocket::send(const keeper::Message& message, std::span<const int> fds) {
    if (!keeper::valid(message, sizeof message, fds.size())) fail(EINVAL, tell);
    keeper::Message words = message;
    iovec data{&words, sizeof words};
    Control control{};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_LEN(fds.size_bytes());
        cmsghdr* part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(part), fds.data(), fds.size_bytes());
    }
    ssize_t sent = 0;
    do sent = ::sendmsg(get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    must(sent, tell);
}

std::optional<KeeperSocket::Received> KeeperSocket::receive() {
    Received received{};
    iovec data{&received.message, sizeof received.message};
    Control control{};
    msghdr header{};
    ssize_t size = 0;
    // ECONNRESET comes once where the keeper has not read all that we sent; what it had sent itself
    // can still be read after that.
    do {
        header.msg_iov = &data;
        header.msg_iovlen = 1;
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        size = ::recvmsg(get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
    if (size < 0 && errno == EAGAIN) return std::nullopt;
    must(size, hear);
    received.fds = take_fds(header);
    if (size == 0) fail(EPIPE, hear);
    if ((header.msg_flags & MSG_CTRUNC) != 0) fail(EMFILE, "receive descriptors of the keeper");
    const keeper::Message& message = received.message;
    const std::uint32_t protocol = message.magic - keeper::magic_base;
    if (protocol < 10 && protocol != keeper::protocol)
        throw std::runtime_error("the keeper that runs speaks protocol " +
                                 std::to_string(protocol) + ", and this mydockerd " +
                                 std::to_string(keeper::protocol) +
                                 ": put back the mydockerd that was there before, or stop it and "
                                 "start this one anew");
    // Too long a message is cut to our size.
    if ((header.msg_flags & MSG_TRUNC) != 0 || !keeper::is_from_keeper(message.verb) ||
        !keeper::valid(message, static_cast<std::size_t>(size), received.fds.size()))
        fail(EPROTO, hear);
    return received;
}

Inheritance KeeperSocket::receive_all(std::chrono::steady_clock::time_point deadline) {
    using namespace std::chrono;
    Inheritance all;
    for (;;) {
        std::optional<Received> received = receive();
        if (!received) {
            const auto left = ceil<milliseconds>(deadline - steady_clock::now()).count();
            if (left <= 0) fail(ETIMEDOUT, hear);
            pollfd readable{get(), POLLIN, 0};
            ::poll(&readable, 1, static_cast<int>(left));
            continue;
        }
        const keeper::Message& message = received->message;
        if (message.verb == keeper::Verb::greeting) {
            all.crashes = message.number;
            all.status = message.status;
            return all;
        }
        if (message.verb == keeper::Verb::prepare) {
            if (message.roles != 1U << keeper::role_report) fail(EPROTO, hear);
            all.prepare = std::move(received->fds.front());
            return all;
        }
        Held& held = all.held.emplace_back();
        held.key = message.key;
        held.pid = message.pid;
        auto fd = received->fds.begin();
        for (std::size_t role = 0; role < held.fds.size(); ++role)
            if ((message.roles >> role & 1) != 0) held.fds[role] = std::move(*fd++);
    }
}

keeper::Message keeper_message(keeper::Verb verb, const keeper::Key& key, std::uint32_t roles,
                               pid_t pid, std::uint32_t count) {
    return {keeper::magic, verb, key, pid, roles, count, 0};
}

KeeperPair make_keeper_pair() {
    int ends[2];
    must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "make the keeper's socket");
    // SO_SNDBUFFORCE needs CAP_NET_ADMIN (socket(7)).
    for (const int end : ends)
        if (::setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
            ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void become_keeper(const std::string& keeper_program, const std::string& own_program,
                   const std::vector<std::string>& arguments, const UniqueFd& socket,
                   const std::vector<std::string>& environment) {
    const std::string step = "execute " + keeper_program;
    std::vector<std::string> texts{keeper_program, own_program};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables = environment;
    const std::vector<char*> argument_list = pointers(texts);
    const std::vector<char*> variable_list = pointers(variables);
    // dup2(2) onto itself would leave it close-on-exec, so the socket itself is a copy elsewhere.
    const UniqueFd copy(must(::fcntl(socket.get(), F_DUPFD_CLOEXEC, number + 1), step));
    const int flags = ::fcntl(number, F_GETFD);  // -1: it is free
    const UniqueFd before(flags < 0 ? -1 : ::fcntl(number, F_DUPFD_CLOEXEC, number + 1));
    if (flags >= 0) must(before.get(), step);
    must(::dup2(copy.get(), number), step);
    ::execve(keeper_program.c_str(), argument_list.data(), variable_list.data());
    const int error = errno;
    if (before) {
        ::dup3(before.get(), number, (flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
    } else {
        ::close(number);
    }
    fail(error, step);
}

}  // namespace mydocker::runtime
