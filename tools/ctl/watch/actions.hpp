// What the user has asked mydockerd to do from the live view: requests under way, whose answers and
// errors become the bottom line. Nothing here waits.
#pragma once

#include <chrono>
#include <list>
#include <string>

#include "tools/ctl/client.hpp"

namespace mydocker::ctl::watch {

struct Verb {
    std::string_view path;   // "stop"
    std::string_view doing;  // "stopping"
    std::string_view done;   // "stopped"
};
inline constexpr Verb stop_verb{"stop", "stopping", "stopped"};
inline constexpr Verb start_verb{"start", "starting", "started"};
inline constexpr Verb restart_verb{"restart", "restarting", "restarted"};
inline constexpr Verb kill_verb{"kill", "killing", "killed"};

class Actions {
public:
    static constexpr std::size_t most = 64;

    explicit Actions(const Client& client) : client_(client) {}

    void begin(const Verb& verb, const std::string& id, const std::string& name);

    struct Pending {
        Exchange exchange;
        Verb verb;
        std::string name;
    };
    std::list<Pending>& pending() { return pending_; }
    void advance(std::list<Pending>::iterator action);  // its fd is readable

    // The last thing worth saying; "" after a while.
    const std::string& message() const { return message_; }
    bool is_bad() const { return is_bad_; }
    void forget_old(std::chrono::steady_clock::time_point now);

private:
    void say(std::string text, bool bad);

    const Client& client_;
    std::list<Pending> pending_;
    std::string message_;
    bool is_bad_ = false;
    std::chrono::steady_clock::time_point said_;
};

}  // namespace mydocker::ctl::watch
