// See program.hpp.
#include "runtime/keeper/program.hpp"

#include <errno.h>

#include "runtime/keeper/channel.hpp"
#include "runtime/keeper/say.hpp"
#include "runtime/keeper/standing.hpp"

namespace mydocker::keeper {

namespace {

constexpr char variable[] = "MYDOCKER_KEEPER=";

bool begins_with(const char* text, const char* beginning) {
    while (*beginning != '\0')
        if (*text++ != *beginning++) return false;
    return true;
}

void write_number(char* out, int number) {  // a pid: positive
    int scale = 1;
    while (number / scale >= 10) scale *= 10;
    for (; scale > 0; scale /= 10) *out++ = static_cast<char>('0' + number / scale % 10);
    *out = '\0';
}

}  // namespace

bool Program::set(char** arguments, char** environment) {
    arguments_ = arguments;
    environment_ = environment;
    char* out = keeper_pid_;
    for (const char* in = variable; *in != '\0'; ++in) *out++ = *in;
    write_number(out, sys::getpid());
    uint32_t count = 0;
    child_environment_[count++] = keeper_pid_;
    for (; *environment != nullptr; ++environment) {
        if (begins_with(*environment, variable)) continue;
        if (count == sizeof child_environment_ / sizeof *child_environment_ - 1) return false;
        child_environment_[count++] = *environment;
    }
    // Read now: once the file is replaced, the link says "(deleted)" (proc_pid_exe(5)).
    sys::readlink("/proc/self/exe", own_path_, sizeof own_path_ - 1);
    return true;
}

int Program::spawn(Child& child) const {
    int32_t ends[2];
    if (const int error = open_pair(ends); error != 0) return error;
    int pidfd = -1;
    const int pid = sys::fork(&pidfd);
    if (pid == 0) become(ends[1]);
    sys::close(ends[1]);
    if (pid < 0) {
        sys::close(ends[0]);
        return -pid;
    }
    child = {pid, pidfd, ends[0]};
    return 0;
}

void Program::become(int32_t socket) const {
    // A terminal's ^C goes to the keeper alone; and mydockerd can come first among all sessions.
    sys::set_own_session();
    give_back();
    sys::dup3(socket, 3, 0);  // not close-on-exec; all other descriptors beyond 2 are
    sys::block_only(forwarded);
    const int error = -sys::execve(arguments_[1], arguments_ + 1, child_environment_);
    Say() << "cannot execute " << arguments_[1] << ": " << error_text(error) << "error " << error;
    sys::exit(127);
}

bool Program::is_unchanged() const { return sys::same_file(own_path_, "/proc/self/exe"); }

int Program::execute_anew(int32_t socket) const {
    sys::dup3(socket, 3, 0);
    give_back();
    const int error = -sys::execve(own_path_, arguments_, environment_);
    take_standing();
    return error;
}

}  // namespace mydocker::keeper
