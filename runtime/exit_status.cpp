// See exit_status.hpp.
#include "runtime/exit_status.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <string>
#include <string_view>

#include "runtime/error.hpp"
#include "runtime/kernel_file.hpp"

namespace mydocker::runtime {

namespace {

// <linux/pidfd.h> of Linux 6.15; the distribution's headers are older.
struct PidfdInfo {
    std::uint64_t mask;
    std::uint64_t cgroup;
    std::uint32_t pid, tgid, ppid, ids[8];
    std::int32_t exit_code;
};
constexpr std::uint64_t info_exit = 1U << 3;

ExitStatus of_wait_status(int status) {
    if (WIFSIGNALED(status)) return {true, WTERMSIG(status)};
    return {false, WEXITSTATUS(status)};
}

// The fields of /proc/PID/stat from the third on: the second, the name in parentheses, may hold
// anything.
std::string stat_fields(pid_t pid) {
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const std::string text = read_file_at(AT_FDCWD, path.c_str()).value_or("");
    const std::size_t name_end = text.rfind(") ");
    return name_end == std::string::npos ? "" : text.substr(name_end + 2);
}

// `index`: 3 for the state.
template <class Number>
std::optional<Number> stat_field(std::string_view fields, int index) {
    for (int at = 3; at < index; ++at) {
        const std::size_t space = fields.find(' ');
        if (space == std::string_view::npos) return std::nullopt;
        fields.remove_prefix(space + 1);
    }
    Number number = 0;
    const auto [end, error] = std::from_chars(fields.data(), fields.data() + fields.size(), number);
    return error == std::errc{} ? std::optional(number) : std::nullopt;
}

// Whoever may not trace the process reads 0 there (proc_pid_stat(5)).
bool may_read_exit_codes() {
    constexpr int cap_sys_ptrace = 19;
    static const bool may = [] {
        const std::string status = read_file_at(AT_FDCWD, "/proc/self/status").value_or("");
        return (status_mask(status, "CapEff").value_or(0) >> cap_sys_ptrace & 1) != 0;
    }();
    return may;
}

std::optional<ExitStatus> peek_foreign(int pidfd) {
    pollfd ended{pidfd, POLLIN, 0};  // pidfd_open(2): once the whole process has
    if (::poll(&ended, 1, 0) <= 0) return std::nullopt;
    constexpr int exit_code_field = 52;
    if (const pid_t pid = pid_of(pidfd); pid > 0) {
        const std::string fields = stat_fields(pid);
        const auto status = stat_field<int>(fields, exit_code_field);
        // Only now is it certain that the number was still its.
        if (status && fields.front() == 'Z' && pid_of(pidfd) == pid &&
            (*status != 0 || may_read_exit_codes()))
            return of_wait_status(*status);
    }
    PidfdInfo info{};
    info.mask = info_exit;
    if (::ioctl(pidfd, _IOWR(0xff, 11, PidfdInfo), &info) == 0 && (info.mask & info_exit) != 0)
        return of_wait_status(info.exit_code);
    return ExitStatus{.known = false};
}

}  // namespace

std::optional<ExitStatus> peek_exit(int pidfd) {
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
        if (errno == ECHILD) return peek_foreign(pidfd);
        fail(errno, "read an exit status");
    }
    if (info.si_pid == 0) return std::nullopt;
    return ExitStatus{info.si_code != CLD_EXITED, info.si_status};
}

void reap(int pidfd) {
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG);
}

pid_t pid_of(int pidfd) {
    const std::string path = "/proc/self/fdinfo/" + std::to_string(pidfd);
    const std::string text = read_file_at(AT_FDCWD, path.c_str()).value_or("");
    constexpr std::string_view key = "Pid:\t";
    const std::size_t at = text.find(key);
    pid_t pid = -1;
    if (at != std::string::npos)
        std::from_chars(text.data() + at + key.size(), text.data() + text.size(), pid);
    return pid;
}

bool send_signal(int pidfd, int signal) {
    if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0) return true;
    if (errno == ESRCH) return false;
    fail(errno, "send signal " + std::to_string(signal));
}

}  // namespace mydocker::runtime
