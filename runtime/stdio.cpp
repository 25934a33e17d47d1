// See stdio.hpp.
#include "runtime/stdio.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>

#include "runtime/error.hpp"
#include "runtime/init/syscalls.hpp"

namespace mydocker::runtime {

namespace {

constexpr gid_t tty_group = 5;  // of Debian and most others; what devpts gives its terminals

UniqueFd duplicate(const UniqueFd& fd) {
    return UniqueFd(must(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3), "duplicate a terminal"));
}

}  // namespace

Stdio make_pipes(const User& user, bool open_stdin) {
    Stdio stdio;
    const auto hand_over = [&](const UniqueFd& fd) {
        if (user.uid != 0)
            must(::fchown(fd.get(), user.uid, user.gid), "hand a standard stream to the user");
    };
    if (open_stdin) {
        Pipe stream = make_pipe();
        make_nonblocking(stream.write);
        hand_over(stream.read);
        stdio.input = std::move(stream.write);
        stdio.theirs[0] = std::move(stream.read);
    } else {
        stdio.theirs[0].reset(must(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
    }
    for (std::size_t i = 0; i < stdio.output.size(); ++i) {
        Pipe stream = make_pipe();
        make_nonblocking(stream.read);
        hand_over(stream.write);
        stdio.output[i] = std::move(stream.read);
        stdio.theirs[i + 1] = std::move(stream.write);
    }
    return stdio;
}

Stdio make_silence() {
    Stdio stdio;
    for (UniqueFd& fd : stdio.theirs)
        fd.reset(must(::open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null"));
    return stdio;
}

std::uint64_t pipe_inode(int fd) {
    struct stat status {};
    return fd >= 0 && ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) ? status.st_ino : 0;
}

std::array<UniqueFd, 2> reopen_pipes(const std::vector<pid_t>& processes,
                                     const std::array<std::uint64_t, 2>& inodes) {
    std::array<UniqueFd, 2> pipes;
    for (const pid_t pid : processes) {
        for (const char* number : {"1", "2"}) {
            const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + number;
            UniqueFd pipe(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
            const std::uint64_t inode = pipe_inode(pipe.get());
            if (inode == 0) continue;
            const auto it = std::ranges::find(inodes, inode);
            if (it == inodes.end()) continue;
            UniqueFd& place = pipes[static_cast<std::size_t>(it - inodes.begin())];
            if (!place) place = std::move(pipe);
        }
        if (pipes[0] && pipes[1]) break;
    }
    return pipes;
}

void set_window(int master, WindowSize size) {
    winsize window{};
    window.ws_row = size.rows;
    window.ws_col = size.columns;
    ::ioctl(master, TIOCSWINSZ, &window);
}

UniqueFd make_devpts() {
    const std::string what = "make a devpts for the container's terminal";
    const UniqueFd context(must(kernel::fsopen("devpts", FSOPEN_CLOEXEC), what));
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, const char*>>{
             {"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}})
        must(kernel::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value, 0), what);
    must(kernel::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), what);
    return UniqueFd(
        must(kernel::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
             what));
}

UniqueFd open_ptmx(const UniqueFd& devpts) {
    return UniqueFd(must(::openat(devpts.get(), "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK),
                         "open the container's ptmx"));
}

UniqueFd open_ptmx_inside(const UniqueFd& root) {
    const std::string what = "open /dev/pts/ptmx in the container";
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const UniqueFd place(static_cast<int>(
        must(::syscall(SYS_openat2, root.get(), "dev/pts", &how, sizeof how), what)));
    struct statfs status {};
    must(::fstatfs(place.get(), &status), what);
    if (status.f_type != DEVPTS_SUPER_MAGIC) fail(ENOTTY, what);
    return open_ptmx(place);
}

Stdio make_terminal(UniqueFd ptmx, const User& user) {
    const std::string what = "make the container's terminal";
    Stdio stdio;
    int locked = 0;
    must(::ioctl(ptmx.get(), TIOCSPTLCK, &locked), what);
    stdio.slave.reset(must(::ioctl(ptmx.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), what));
    if (user.uid != 0)
        must(::fchown(stdio.slave.get(), user.uid, tty_group), "hand the terminal to the user");
    for (UniqueFd& fd : stdio.theirs) fd = duplicate(stdio.slave);
    stdio.input = duplicate(ptmx);
    stdio.output[0] = std::move(ptmx);
    return stdio;
}

}  // namespace mydocker::runtime
