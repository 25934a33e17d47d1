// A process that is put into a running container (`exec`): born in the container's cgroup and pid
// namespace, it joins the other namespaces of the container's init and executes there. It holds
// nothing on the host but its pipes; the container's end is its end.
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/handshake.hpp"
#include "runtime/spec.hpp"

namespace mydocker::runtime {

struct EntrySpec {
    Process process;
    std::string hostname;  // for the environment
    bool own_network = true;
    bool terminal = false;
    bool open_stdin = false;
    bool detached = false;  // all three standard streams are /dev/null
};

// `init`: the pidfd and pid of the container's init. Finds the user in the container's own files,
// makes the pipes or the terminal. Throws std::system_error; ESRCH when the init has ended. The
// clone's request names the container's cgroup and, as `join`, the init. At its pids limit the
// process is born outside and moves in by itself before it does anything: cgroup v2 lets a
// migration pass where a fork would not.
Handshake prepare_entry(int init_pidfd, pid_t init_pid, const EntrySpec& spec);

}  // namespace mydocker::runtime
