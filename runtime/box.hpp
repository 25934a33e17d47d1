// All that is acquired on the host for one attempt of one container, before and beside its init.
// The order of the members is the order of making; a throw half-way undoes the made half in
// reverse. What must be waited for (the cgroup's last process) is the supervisor's state machine's,
// not ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/cgroup.hpp"
#include "runtime/handshake.hpp"
#include "runtime/spec.hpp"
#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

class Box {
public:
    // Makes the cgroup `name` with its limits, opens root and volumes, finds the user, makes the
    // pipes.
    Box(const CgroupTree& tree, const std::string& name, const Spec& spec, Cgroup::Options options);

    // Of an attempt that an earlier mydockerd began.
    Box(Cgroup existing, Handshake open)
        : cgroup(std::move(existing)), handshake(std::move(open)) {}

    // Asks for the blocked init and drops our copies of what is now its own.
    void clone_init(Zygote& zygote, std::uint64_t id);

    Cgroup cgroup;

private:
    std::vector<UniqueFd> mounts_;  // the init's, until clone_init(); the root first
    bool own_network_ = true;
    Handshake prepare(const Spec& spec);

public:
    Handshake handshake;
};

}  // namespace mydocker::runtime
