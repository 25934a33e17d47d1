// See outlet.hpp.
#include "tools/ctl/outlet.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

namespace {

bool is_regular(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// O_NONBLOCK on descriptor 1 itself would be set for everybody who shares it, the shell included.
int open_anew(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return -1;
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return -1;
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

}  // namespace

Outlet::Outlet(int fd)
    : own_(open_anew(fd)),
      fd_(own_.get() >= 0 ? own_.get() : fd),
      may_block_(own_.get() < 0 && !is_regular(fd)) {}

void Outlet::put(std::string_view bytes) {
    pending_ += bytes;
    if (!may_block_) flush();
}

void Outlet::flush() {
    std::size_t done = 0;
    while (done < pending_.size()) {
        // A descriptor that may block is asked for no more than a pipe takes at once.
        const std::size_t most = may_block_ ? PIPE_BUF : pending_.size();
        const std::size_t size = std::min(most, pending_.size() - done);
        const ssize_t written = ::write(fd_, pending_.data() + done, size);
        if (written >= 0) {
            done += static_cast<std::size_t>(written);
            if (may_block_) break;
        } else if (errno == EPIPE) {
            throw ReaderGone();
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            throw Failure(std::string("cannot write the output: ") + std::strerror(errno));
        }
    }
    pending_.erase(0, done);
}

}  // namespace mydocker::ctl
