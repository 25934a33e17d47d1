// A service manager's watchdog (sd_watchdog_enabled(3), sd_notify(3)): it hears from the keeper as
// often as it wants, and looks after the keeper as the keeper does after mydockerd. Only where both
// have died at once, nobody is left and the service manager starts anew.
#pragma once

#include <stdint.h>
#include <sys/un.h>

namespace mydocker::keeper {

class Watchdog {
public:
    // NOTIFY_SOCKET and WATCHDOG_USEC of these: without both there is nobody to tell. WATCHDOG_PID
    // does not count: a keeper that takes another one's place goes on with it.
    void set(char** environment);

    // Tells where it is time. Returns when it is the next time, in ms of sys::now(); `never` where
    // nobody wants to hear.
    static constexpr int64_t never = INT64_MAX;
    int64_t tell(int64_t now);

private:
    int64_t every_ = 0;  // ms; 0: off
    int64_t due_ = 0;
    sockaddr_un address_ = {};
    uint32_t size_ = 0;
};

}  // namespace mydocker::keeper
