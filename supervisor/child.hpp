// A program of the host as a child of mydockerd: started in a session of its own with a clean
// signal mask and no descriptor but those it is given, watched by its pidfd. Who starts it reaps
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/unique_fd.hpp"
#include "supervisor/waker.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

// `given` become its descriptors 0, 1, 2, …; -1, or nothing, stands for /dev/null as stdin and for
// mydockerd's own stdout and stderr. words[0] without a slash is looked up in PATH. Returns the
// pidfd; throws std::system_error.
runtime::UniqueFd start_child(const std::vector<std::string>& words, const std::vector<int>& given);

// Pokes once, when the child has ended, and never after its own end: who has learnt of the end in
// another way may reap the child and go, though the event is under way. Must not outlive the waker.
class ExitPoke {
public:
    ExitPoke(std::shared_ptr<WatchedFd> pidfd, Waker& waker);

private:
    struct Wait {
        std::shared_ptr<WatchedFd> pidfd;
        Waker& waker;
    };
    static void begin(const std::shared_ptr<Wait>& wait);
    std::shared_ptr<Wait> wait_;
};

}  // namespace mydocker::supervisor
