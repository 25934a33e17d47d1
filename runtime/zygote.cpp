// See zygote.hpp.
#include "runtime/zygote.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstring>
#include <vector>

#include "runtime/error.hpp"
#include "runtime/init/wire.hpp"

namespace mydocker::runtime {

namespace {

UniqueFd sealed_copy(const std::string& program) {
    const std::string what = "copy " + program + " into memory";
    const UniqueFd file(must(::open(program.c_str(), O_RDONLY | O_CLOEXEC), "open " + program));
    struct stat status {};
    must(::fstat(file.get(), &status), what);
    UniqueFd copy(must(::memfd_create("mydocker-init", MFD_CLOEXEC | MFD_ALLOW_SEALING), what));
    for (off_t at = 0; at < status.st_size;) {
        const auto left = static_cast<std::size_t>(status.st_size - at);
        if (must(::sendfile(copy.get(), file.get(), &at, left), what) == 0) fail(EIO, what);
    }
    must(::fchmod(copy.get(), 0555), what);
    constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    must(::fcntl(copy.get(), F_ADD_SEALS, seals), what);
    return copy;
}

// Away from the numbers that the zygote gets its descriptors as.
UniqueFd beyond_ours(UniqueFd fd) {
    return UniqueFd(must(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10), "duplicate a descriptor"));
}

}  // namespace

Zygote::Zygote(const std::string& program) {
    const UniqueFd copy = beyond_ours(sealed_copy(program));
    int ends[2];
    must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
         "make the zygote's socket");
    socket_.reset(ends[0]);
    const UniqueFd theirs = beyond_ours(UniqueFd(ends[1]));
    // The zygote's own end blocks: waiting is all that it does.
    must(::fcntl(theirs.get(), F_SETFL, 0), "make the zygote's socket blocking");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), 3);
    ::posix_spawn_file_actions_adddup2(&actions, copy.get(), 4);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 5);
    std::string name = "mydocker-init";
    char* const arguments[] = {name.data(), nullptr};
    char* const environment[] = {nullptr};
    const int error =
        ::posix_spawn(&pid_, "/proc/self/fd/4", &actions, nullptr, arguments, environment);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) fail(error, "execute " + program);
}

Zygote::~Zygote() {
    socket_.reset();  // its end of file: it exits
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);  // our own unreaped child: the number is still its
        ::waitpid(pid_, nullptr, 0);
    }
}

void Zygote::request(const Request& request) {
    std::vector<int> fds{request.cgroup, request.plan, request.report};
    fds.insert(fds.end(), request.standard.begin(), request.standard.end());
    fds.insert(fds.end(), request.mounts.begin(), request.mounts.end());
    if (request.mounts.size() > wire::max_mount_fds)
        fail(E2BIG, "pass the volumes to the container");
    const bool joins = request.join >= 0;
    if (joins) fds.push_back(request.join);

    std::uint64_t flags = 0;
    if (!joins) flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
    if (!joins && request.own_network) flags |= CLONE_NEWNET;
    wire::CloneRequest words{
        wire::magic,     static_cast<std::uint32_t>(fds.size()) - wire::fd_first_extra,
        request.id,      flags,
        joins ? 1U : 0U, 0};
    iovec data{&words, sizeof words};
    const std::size_t payload = fds.size() * sizeof(int);
    std::vector<char> control(CMSG_SPACE(payload));
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(payload);
    std::memcpy(CMSG_DATA(part), fds.data(), payload);
    must(::sendmsg(socket_.get(), &message, MSG_NOSIGNAL), "ask the zygote for an init");
}

std::optional<Zygote::Answer> Zygote::receive() {
    wire::CloneReply reply{};
    iovec data{&reply, sizeof reply};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    must(size, "hear from the zygote");
    Answer answer;
    if (const cmsghdr* part = CMSG_FIRSTHDR(&message);
        part != nullptr && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
        answer.pidfd.reset(fd);
    }
    if (size != sizeof reply || reply.magic != wire::magic) fail(EPIPE, "hear from the zygote");
    answer.id = reply.id;
    answer.pid = reply.pid;
    answer.error = reply.error;
    if (answer.pid > 0 && !answer.pidfd) fail(EPROTO, "receive the init's pidfd");
    return answer;
}

}  // namespace mydocker::runtime
