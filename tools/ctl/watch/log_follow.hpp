// The log of one container on its way to the screen.
#pragma once

#include <optional>
#include <string>

#include "tools/ctl/client.hpp"
#include "tools/ctl/cri.hpp"
#include "tools/ctl/positioned_log.hpp"
#include "tools/ctl/reconnection.hpp"
#include "tools/ctl/watch/log_lines.hpp"

namespace mydocker::ctl::watch {

class LogFollow {
public:
    LogFollow(const Client& client, std::string id, std::string name);
    LogFollow(const LogFollow&) = delete;
    LogFollow& operator=(const LogFollow&) = delete;

    const std::string& id() const { return id_; }
    const std::string& name() const { return name_; }
    LogLines& lines() { return lines_; }
    int fd() const { return exchange_ ? exchange_->fd() : -1; }
    // Reads what has come; an end and an error become a line. Never throws.
    void advance();
    // Goes on where it was once mydockerd is back after a break. Never throws.
    void turn(Reconnection::Clock::time_point now);
    bool has_ended() const { return !exchange_ && !away_; }
    void ask_again();  // its end was not for ever; never throws

private:
    void ask(const std::string& begin);
    void end(const std::string& why);

    const Client& client_;
    std::string id_, name_;
    LogLines lines_;
    std::optional<CriReader> reader_;
    std::optional<PositionedLog> log_;
    std::optional<Exchange> exchange_;
    Reconnection reconnection_;
    bool away_ = false;
};

}  // namespace mydocker::ctl::watch
