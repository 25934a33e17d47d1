// The blocked init: reads its plan to the end of the pipe, does each step in order, executes the
// workload. Until that end it has done nothing of the user's. Each step is one case of one switch;
// steps.cpp holds what a case needs. A failing step is reported as {step, errno} on the report
// pipe, which is close-on-exec: its end without a word means that the workload runs.
#include <errno.h>
#include <linux/mount.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/init/steps.hpp"

namespace mydocker::init {

namespace {

struct Plan {
    const char* data = nullptr;
    size_t size = 0;
};

// To the end of the pipe. Most plans fit the first page-backed buffer; a larger one doubles it.
Plan read_plan(int fd) {
    size_t room = 256U << 10;
    void* buffer =
        ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED) return {};
    size_t size = 0;
    for (;;) {
        if (size == room) {
            if (room >= wire::max_plan_bytes) return {};
            buffer = ::mremap(buffer, room, room * 2, MREMAP_MAYMOVE);
            if (buffer == MAP_FAILED) return {};
            room *= 2;
        }
        const ssize_t count = ::read(fd, static_cast<char*>(buffer) + size, room - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return {};
        if (count == 0) break;
        size += static_cast<size_t>(count);
    }
    ::close(fd);
    return {static_cast<const char*>(buffer), size};
}

// All of a plan, or nothing of it: a mydockerd that died half-way leaves no half-made container.
bool whole(const Plan& plan) {
    if (plan.size < sizeof(wire::PlanHeader)) return false;
    wire::PlanHeader header;
    ::memcpy(&header, plan.data, sizeof header);
    return header.magic == wire::magic && header.bytes == plan.size;
}

[[noreturn]] void give_up(int report, uint32_t step, int error) {
    const wire::StepFailure failure{step, error};
    [[maybe_unused]] const ssize_t written = ::write(report, &failure, sizeof failure);
    ::_exit(127);
}

int take_standard_fds(const ChildFds& fds) {
    for (int i = 0; i < 3; ++i)
        if (::dup2(fds.standard[i], i) < 0) return errno;
    return 0;
}

struct Workload {
    char** arguments = nullptr;
    char** environment = nullptr;
};

int set_rlimit(const wire::StepHeader& step) {
    const struct rlimit limit { step.b, step.c };
    return ::setrlimit(static_cast<__rlimit_resource_t>(step.a), &limit) < 0 ? errno : 0;
}

// Every candidate in turn, as execvp(3) does; EACCES is remembered, since it says more than ENOENT.
int execute(const Texts& candidates, const Workload& workload) {
    if (workload.arguments == nullptr || workload.environment == nullptr) return EPROTO;
    int worst = ENOENT;
    for (uint32_t i = 0; i < candidates.count; ++i) {
        ::execve(candidates.at(i), workload.arguments, workload.environment);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return errno;
        if (errno == EACCES) worst = EACCES;
    }
    return worst;
}

int perform(const wire::StepHeader& step, const Texts& texts, const ChildFds& fds,
            Workload& workload) {
    using wire::Op;
    const int mount_fd = fds.first_extra + static_cast<int>(step.a);
    const auto mode = static_cast<mode_t>(step.a);
    switch (step.op) {
        case Op::set_hostname:
            return ::sethostname(texts.at(0), ::strlen(texts.at(0))) < 0 ? errno : 0;
        case Op::loopback_up: return loopback_up();
        case Op::join: return join(fds.first_extra, static_cast<int>(step.a));
        case Op::private_mounts:
            return kernel::mount_flags("/", MS_REC | MS_PRIVATE) < 0 ? errno : 0;
        case Op::attach_root: return attach_root(mount_fd);
        case Op::enter_root: return enter_root();
        case Op::mount:
            return mount_new(texts, static_cast<unsigned>(step.a), static_cast<mode_t>(step.b),
                             step.c != 0);
        case Op::attach: return attach(texts.at(0), mount_fd, step.b != 0);
        case Op::device: return make_device(texts.at(0), mode, step.b, step.c);
        case Op::symlink:
            return ::symlink(texts.at(0), texts.at(1)) < 0 && errno != EEXIST ? errno : 0;
        case Op::console: return make_console();
        case Op::mask: return mask(texts.at(0));
        case Op::read_only: return make_read_only(texts.at(0));
        case Op::seal_root: return seal_root();
        case Op::oom_score_adj:
            return set_oom_score_adj(static_cast<int>(static_cast<int64_t>(step.a)));
        case Op::rlimit: return set_rlimit(step);
        case Op::work_dir: return enter_work_dir(texts.at(0), step.a != 0);
        case Op::groups: return set_groups(texts);
        case Op::user: return set_user(static_cast<uid_t>(step.a), static_cast<gid_t>(step.b));
        case Op::bounding: return limit_bounding(step.a);
        case Op::capabilities: return set_capabilities(step.a, step.b);
        case Op::no_new_privs: return no_new_privs();
        case Op::reaper: return split_reaper();
        case Op::terminal: return take_terminal();
        case Op::arguments:
            workload.arguments = texts.as_vector();
            return workload.arguments ? 0 : ENOMEM;
        case Op::environment:
            workload.environment = texts.as_vector();
            return workload.environment ? 0 : ENOMEM;
        case Op::execute: return execute(texts, workload);
    }
    return ENOSYS;
}

}  // namespace

void become_container(const ChildFds& fds) {
    if (fds.cgroup >= 0) {
        if (const int error = enter_cgroup(fds.cgroup)) give_up(fds.report, 0, error);
    }
    // Only now: clone3 would have taken the zygote's cgroup for the namespace's root.
    if (!fds.joins && ::unshare(CLONE_NEWCGROUP) < 0) give_up(fds.report, 0, errno);
    const Plan plan = read_plan(fds.plan);
    if (!whole(plan)) give_up(fds.report, wire::no_whole_plan, EPROTO);
    ::setsid();
    ::umask(0);  // files and devices that are made have the modes they were given
    if (const int error = take_standard_fds(fds)) give_up(fds.report, 0, error);

    wire::PlanHeader header;
    ::memcpy(&header, plan.data, sizeof header);
    size_t at = sizeof header;
    Workload workload;
    for (uint32_t index = 0; index < header.steps; ++index) {
        wire::StepHeader step;
        if (plan.size - at < sizeof step) give_up(fds.report, index, EPROTO);
        ::memcpy(&step, plan.data + at, sizeof step);
        at += sizeof step;
        if (plan.size - at < step.bytes) give_up(fds.report, index, EPROTO);
        const Texts texts{plan.data + at, step.texts, step.bytes};
        at += step.bytes;
        if (step.op == wire::Op::execute) {
            ::umask(022);
            [[maybe_unused]] const ssize_t written = ::write(fds.report, &wire::executing, 1);
        }
        if (const int error = perform(step, texts, fds, workload))
            give_up(fds.report, index, error);
    }
    give_up(fds.report, header.steps, EPROTO);  // a plan without `execute`
}

}  // namespace mydocker::init
