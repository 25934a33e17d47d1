// See box.hpp.
#include "runtime/box.hpp"

#include <fcntl.h>

#include "runtime/error.hpp"

namespace mydocker::runtime {

namespace {

void make_nonblocking(const UniqueFd& fd) {
    must(::fcntl(fd.get(), F_SETFL, O_NONBLOCK), "make a pipe non-blocking");
}

}  // namespace

Box::Box(const CgroupTree& tree, const std::string& name, const Spec& spec, Cgroup::Options options)
    : cgroup(tree, name, spec.limits, options), own_network_(spec.own_network) {
    mounts_.push_back(open_root(spec.root));
    std::vector<bool> directories;
    for (const Mount& mount : spec.mounts) {
        if (mount.kind != Mount::Kind::bind) continue;
        BindSource source = open_bind(mount);
        mounts_.push_back(std::move(source.mount));
        directories.push_back(source.directory);
    }
    const User user = find_user(mounts_.front(), spec.process.user);

    Pipe plan_pipe = make_pipe();
    make_nonblocking(plan_pipe.write);
    plan_read_ = std::move(plan_pipe.read);
    plan_write = std::move(plan_pipe.write);
    Pipe report = make_pipe();
    make_nonblocking(report.read);
    report_read = std::move(report.read);
    report_write_ = std::move(report.write);
    standard_[0].reset(must(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
    for (std::size_t i = 0; i < output.size(); ++i) {
        Pipe stream = make_pipe();
        make_nonblocking(stream.read);
        // Else a workload of another user could not open its own /dev/stdout.
        if (user.uid != 0)
            must(::fchown(stream.write.get(), user.uid, user.gid),
                 "hand the output pipe to the user");
        output[i] = std::move(stream.read);
        standard_[i + 1] = std::move(stream.write);
    }
    plan = make_plan(spec, user, directories);
}

void Box::clone_init(Zygote& zygote, std::uint64_t id) {
    std::vector<int> mount_fds;
    for (const UniqueFd& mount : mounts_) mount_fds.push_back(mount.get());
    zygote.request({.id = id,
                    .cgroup = cgroup.fd(),
                    .plan = plan_read_.get(),
                    .report = report_write_.get(),
                    .standard = {standard_[0].get(), standard_[1].get(), standard_[2].get()},
                    .mounts = mount_fds,
                    .own_network = own_network_});
    mounts_.clear();
    plan_read_.reset();
    report_write_.reset();
    for (UniqueFd& fd : standard_) fd.reset();
}

}  // namespace mydocker::runtime
