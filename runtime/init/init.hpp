// The static program that becomes every container: zygote.cpp clones, child.cpp builds the
// container's inside and executes the workload, reaper.cpp stays as pid 1 where that is asked.
// There is no heap, no libstdc++ and no log in here; everything was decided by mydockerd before.
#pragma once

#include <stdint.h>

namespace mydocker::init {

// The descriptors of one child, in the zygote's numbering.
struct ChildFds {
    int plan;
    int report;
    int standard[3];
    int first_extra;  // the mounts, or the pidfd of the init whose container is joined
    uint32_t extras;
    bool joins;
    int cgroup;  // to be entered first; -1: it was born there
};

// Never returns: serves CloneRequests on `socket` until it ends, then exits.
[[noreturn]] void serve(int socket);

// Never returns: waits for the plan, does its steps, executes. Only the descriptors of `fds` are
// open.
[[noreturn]] void become_container(const ChildFds& fds);

// Forks; returns in the child. The parent becomes pid 1: it forwards signals to the child, reaps
// whatever is orphaned, and exits as the child did. Returns errno where the fork failed, else 0.
int split_reaper();

// Where the zygote's own small root has room for a container's.
inline constexpr char new_root[] = "/root";

}  // namespace mydocker::init
