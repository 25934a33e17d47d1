// See entry.hpp.
#include "runtime/entry.hpp"

#include <fcntl.h>
#include <sched.h>

#include "runtime/error.hpp"
#include "runtime/exit_status.hpp"

namespace mydocker::runtime {

namespace {

// The root that the init sees. By its number, so it is asked afterwards whether that was still it.
UniqueFd open_root_of(int init_pidfd, pid_t init_pid) {
    const std::string path = "/proc/" + std::to_string(init_pid) + "/root";
    UniqueFd root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const int error = errno;
    if (!send_signal(init_pidfd, 0)) fail(ESRCH, "enter the container, whose pid 1 has ended");
    if (!root) fail(error, "open the container's root " + path);
    return root;
}

}  // namespace

Handshake prepare_entry(int init_pidfd, pid_t init_pid, const EntrySpec& spec) {
    const UniqueFd root = open_root_of(init_pidfd, init_pid);
    const User user = find_user(root, spec.process.user);
    Stdio stdio = spec.detached   ? make_silence()
                  : spec.terminal ? make_terminal(open_ptmx_inside(root), user)
                                  : make_pipes(user, spec.open_stdin);
    return {make_entry_plan(spec.process, spec.hostname, spec.own_network, spec.terminal, user),
            std::move(stdio)};
}

}  // namespace mydocker::runtime
