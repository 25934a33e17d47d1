// See say.hpp.
#include "runtime/keeper/say.hpp"

#include <errno.h>

#include "runtime/keeper/sys.hpp"

namespace mydocker::keeper {

Say::~Say() {
    line_[size_++] = '\n';
    pollfd error{2, POLLOUT, 0};
    if (sys::poll(&error, 1, 0) == 1) sys::write(2, line_, size_);
}

Say& Say::operator<<(const char* text) {
    for (; *text != '\0' && size_ < sizeof line_ - 1; ++text) line_[size_++] = *text;
    return *this;
}

Say& Say::operator<<(int64_t number) {
    char digits[24];
    char* at = digits + sizeof digits;
    *--at = '\0';
    const bool negative = number < 0;
    uint64_t rest = negative ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    do {
        *--at = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (negative) *--at = '-';
    return *this << at;
}

const char* error_text(int error) {
    switch (error) {
        case EPERM: return "Operation not permitted, ";
        case ENOENT: return "No such file or directory, ";
        case E2BIG: return "Argument list too long, ";
        case ENOEXEC: return "Exec format error, ";
        case EAGAIN: return "Resource temporarily unavailable, ";
        case ENOMEM: return "Cannot allocate memory, ";
        case EACCES: return "Permission denied, ";
        case ENFILE: return "Too many open files in system, ";
        case EMFILE: return "Too many open files, ";
        case EPIPE: return "Broken pipe, ";
        case ETOOMANYREFS: return "Too many descriptors on their way, ";
        case ENOBUFS: return "No buffer space available, ";
        case ETIMEDOUT: return "Timed out, ";
        default: return "";
    }
}

}  // namespace mydocker::keeper
