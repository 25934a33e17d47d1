// See unique_fd.hpp.
#include "runtime/unique_fd.hpp"

#include <fcntl.h>

#include "runtime/error.hpp"

namespace mydocker::runtime {

Pipe make_pipe() {
    int ends[2];
    must(::pipe2(ends, O_CLOEXEC), "make a pipe");
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void make_nonblocking(const UniqueFd& pipe) {
    must(::fcntl(pipe.get(), F_SETFL, O_NONBLOCK), "make a pipe non-blocking");
}

}  // namespace mydocker::runtime
