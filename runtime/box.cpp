// See box.hpp.
#include "runtime/box.hpp"

namespace mydocker::runtime {

Handshake Box::prepare(const Spec& spec) {
    mounts_.push_back(open_root(spec.root));
    std::vector<bool> directories;
    for (const Mount& mount : spec.mounts) {
        if (mount.kind != Mount::Kind::bind) continue;
        BindSource source = open_bind(mount);
        mounts_.push_back(std::move(source.mount));
        directories.push_back(source.directory);
    }
    const User user = find_user(mounts_.front(), spec.process.user);
    Stdio stdio;
    if (spec.terminal) {
        UniqueFd devpts = make_devpts();
        stdio = make_terminal(open_ptmx(devpts), user);
        mounts_.push_back(std::move(devpts));  // the last one: the plan counts on it
    } else {
        stdio = make_pipes(user, spec.open_stdin);
    }
    return {make_plan(spec, user, directories), std::move(stdio)};
}

Box::Box(const CgroupTree& tree, const std::string& name, const Spec& spec, Cgroup::Options options)
    : cgroup(tree, name, spec.limits, options),
      own_network_(spec.own_network),
      handshake(prepare(spec)) {}

void Box::clone_init(Zygote& zygote, std::uint64_t id) {
    std::vector<int> mount_fds;
    for (const UniqueFd& mount : mounts_) mount_fds.push_back(mount.get());
    handshake.clone(
        zygote,
        {.id = id, .cgroup = cgroup.fd(), .mounts = mount_fds, .own_network = own_network_});
    mounts_.clear();
}

}  // namespace mydocker::runtime
