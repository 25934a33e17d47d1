// See watchdog.hpp.
#include "runtime/keeper/watchdog.hpp"

#include <stddef.h>

#include "runtime/keeper/sys.hpp"

namespace mydocker::keeper {

namespace {

constexpr int64_t again = 1000;  // ms, where it could not be told (EAGAIN, ENFILE, ENOBUFS)

// The value where `text` is "name=value"; else null.
const char* value_of(const char* text, const char* name) {
    while (*name != '\0')
        if (*text++ != *name++) return nullptr;
    return *text == '=' ? text + 1 : nullptr;
}

// 0 for what is no number, or larger than a day.
int64_t microseconds(const char* text) {
    constexpr int64_t longest = int64_t{24} * 3600 * 1'000'000;
    int64_t number = 0;
    for (; *text >= '0' && *text <= '9' && number <= longest; ++text)
        number = number * 10 + (*text - '0');
    return *text == '\0' && number <= longest ? number : 0;
}

}  // namespace

void Watchdog::set(char** environment) {
    int64_t every = 0;
    for (; *environment != nullptr; ++environment) {
        if (const char* const value = value_of(*environment, "WATCHDOG_USEC"); value != nullptr)
            every = microseconds(value) / 1000 / 2;  // half, as sd_watchdog_enabled(3) advises
        const char* in = value_of(*environment, "NOTIFY_SOCKET");
        if (in == nullptr || (*in != '/' && *in != '@')) continue;
        size_ = 0;
        for (; *in != '\0' && size_ < sizeof address_.sun_path; ++in)
            address_.sun_path[size_++] = *in;
        if (*in != '\0') size_ = 0;  // longer than any
    }
    address_.sun_family = AF_UNIX;
    if (address_.sun_path[0] == '@') address_.sun_path[0] = '\0';  // abstract: unix(7)
    if (size_ != 0) every_ = every;
}

int64_t Watchdog::tell(int64_t now) {
    if (every_ == 0) return never;
    if (now < due_) return due_;
    due_ = now + (every_ < again ? every_ : again);  // unless it is told now
    const int socket = sys::socket(SOCK_DGRAM | SOCK_CLOEXEC);
    if (socket < 0) return due_;
    char words[] = "WATCHDOG=1";
    iovec data{words, sizeof words - 1};
    msghdr message{};
    message.msg_name = &address_;
    message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size_);
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (sys::sendmsg(socket, &message) >= 0) due_ = now + every_;
    sys::close(socket);
    return due_;
}

}  // namespace mydocker::keeper
