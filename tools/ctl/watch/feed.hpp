// The stream of ticks that the live view lives on: it asks for it again by itself when mydockerd
// has gone, and says meanwhile why there is no news.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "tools/ctl/client.hpp"
#include "tools/ctl/line_splitter.hpp"
#include "tools/ctl/reconnection.hpp"

namespace mydocker::ctl::watch {

using Clock = std::chrono::steady_clock;

class Feed {
public:
    // `on_tick` says whether it was one. `version`: mydockerd's, asked for again at each
    // connection.
    Feed(const Client& client, std::string version, std::function<bool(const Json&)> on_tick);

    // Connects when it is time; never throws.
    void turn(Clock::time_point now);
    // Reads what has come on one of the descriptors; never throws.
    void advance_ticks(Clock::time_point now);
    void advance_version();
    int ticks_fd() const { return ticks_ ? ticks_->fd() : -1; }
    int version_fd() const { return asked_ ? asked_->fd() : -1; }

    const std::string& version() const { return version_; }
    // Why what is shown is old, for people; empty while all is well.
    std::string trouble(Clock::time_point now) const;

private:
    void lose(const std::string& why);

    const Client& client_;
    std::string version_;
    std::function<bool(const Json&)> on_tick_;
    LineSplitter lines_;
    std::optional<Exchange> ticks_, asked_;
    Clock::time_point news_;   // the last tick, or the connection
    Clock::time_point retry_;  // when to connect next
    Reconnection reconnection_;
    std::string why_;
};

}  // namespace mydocker::ctl::watch
