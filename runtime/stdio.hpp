// A workload's stdin, stdout and stderr: pipes, or one terminal. The terminal belongs to the
// container: it is the first of the container's own devpts instance (devpts documentation of the
// kernel: each mount is one since Linux 4.7), so /dev/pts/0 and ttyname(3) are true inside.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/root.hpp"
#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

struct Stdio {
    // Ours, non-blocking. `input` is empty where stdin is /dev/null. A terminal has its master in
    // both `input` and `output[0]`, and no output[1].
    UniqueFd input;
    std::array<UniqueFd, 2> output;
    // The workload's: stdin, stdout, stderr. For a terminal they are its slave.
    std::array<UniqueFd, 3> theirs;
    // A terminal's slave, held so that the terminal does not end when nobody inside has it open.
    UniqueFd slave;

    bool terminal() const { return static_cast<bool>(slave); }
};

// The pipes belong to `user`, who could not open /dev/stdout otherwise. Throws std::system_error.
Stdio make_pipes(const User& user, bool open_stdin);
Stdio make_silence();  // /dev/null for all three

// Which pipe this is; 0: none.
std::uint64_t pipe_inode(int fd);
// The reading ends of these pipes, where one of the processes has them as its stdout or stderr;
// else empty. By /proc/PID/fd (proc(5)): whoever opens a pipe there gets an end of it.
std::array<UniqueFd, 2> reopen_pipes(const std::vector<pid_t>& processes,
                                     const std::array<std::uint64_t, 2>& inodes);

struct WindowSize {
    std::uint16_t rows = 0;  // 0: not known
    std::uint16_t columns = 0;
    bool operator==(const WindowSize&) const = default;
};
// Of a terminal's master; a refusal means nothing to anybody.
void set_window(int master, WindowSize size);

// A detached devpts of its own for a container: moved to /dev/pts by its init.
UniqueFd make_devpts();
// The next terminal of the devpts that `ptmx` (its ptmx device, opened for reading and writing)
// belongs to.
Stdio make_terminal(UniqueFd ptmx, const User& user);
UniqueFd open_ptmx(const UniqueFd& devpts);  // in a detached one
// In a running container, whose root is hostile: what stands there must be a devpts.
UniqueFd open_ptmx_inside(const UniqueFd& root);

}  // namespace mydocker::runtime
