// The programs that the keeper executes: mydockerd as its child, and itself anew.
#pragma once

#include <stdint.h>

namespace mydocker::keeper {

class Program {
public:
    // As main() has them: argv[1] is mydockerd, the rest its arguments. False where the environment
    // is larger than any.
    bool set(char** arguments, char** environment);

    struct Child {
        int32_t pid = 0;  // none
        int32_t pidfd = -1;
        int32_t socket = -1;  // our end; -1: closed
    };
    // mydockerd, in a session of its own, with the socket's other end as descriptor 3. 0, or
    // errno.
    int spawn(Child& child) const;

    // Executes the file that stands where this program's stood when it was started, with `socket`
    // as descriptor 3. Returns errno where that failed.
    int execute_anew(int32_t socket) const;
    bool is_unchanged() const;  // the file there is the one that runs
    const char* own_path() const { return own_path_; }

private:
    [[noreturn]] void become(int32_t socket) const;

    char** arguments_ = nullptr;
    char** environment_ = nullptr;
    char keeper_pid_[32] = {};  // MYDOCKER_KEEPER=PID
    // Large and hardly used, so last: pages that are not touched are not there.
    char own_path_[4096] = {};
    char* child_environment_[4096] = {};
};

}  // namespace mydocker::keeper
