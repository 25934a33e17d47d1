// See feed.hpp.
#include "tools/ctl/watch/feed.hpp"

#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/output.hpp"

namespace mydocker::ctl::watch {

namespace {

constexpr std::chrono::seconds between_tries{1};  // after an answer that is none of use
constexpr auto away = "mydockerd is away, reconnecting; what is shown is old.";
constexpr std::chrono::seconds silence{4};  // a tick comes each second

std::string trying_again(const std::string& why) {
    return why + (why.ends_with('.') ? "" : ".") + " Trying again; what is shown is old.";
}

}  // namespace

Feed::Feed(const Client& client, std::string version, std::function<bool(const Json&)> on_tick)
    : client_(client),
      version_(std::move(version)),
      on_tick_(std::move(on_tick)),
      lines_([this](const std::string& line) {
          if (!on_tick_(Json::parse(line, nullptr, false))) {
              throw Failure("mydockerd sent statistics that are not understood",
                            protocol::exit_daemon);
          }
          news_ = Clock::now();
          why_.clear();
      }) {}

void Feed::turn(Clock::time_point now) {
    if (ticks_ || now < retry_) return;
    try {
        lines_.forget();
        ticks_.emplace(client_.open(
            {"GET", "/v1/stats?follow=1&interval=1", {}},
            [this](std::string_view bytes) {
                reconnection_.progressed();
                lines_.feed(bytes);
            },
            at_once));
        asked_.emplace(client_.open({"GET", "/v1/version", {}}, {}, at_once));
        reconnection_.connected(now);
        news_ = now;
    } catch (const Unreachable& error) {
        lose(away);
        reconnection_.failed(now, error.error());
        retry_ = reconnection_.next();
    } catch (const std::exception& error) {
        lose(trying_again(error.what()));
        retry_ = now + between_tries;
    }
}

void Feed::advance_ticks(Clock::time_point now) {
    try {
        ticks_->advance();
        if (!ticks_->done()) return;
        ticks_->answer();
        require_whole(*ticks_);
        lose(trying_again("mydockerd has ended the stream"));
    } catch (const Disconnected&) {
        lose(away);
        reconnection_.broke(now);
        retry_ = reconnection_.next();
        return;
    } catch (const std::exception& error) {
        lose(trying_again(error.what()));
    }
    if (!ticks_) retry_ = now + between_tries;
}

void Feed::advance_version() {
    try {
        asked_->advance();
        if (!asked_->done()) return;
        version_ = text_of(asked_->answer(), "version");
    } catch (const std::exception&) {  // the other stream tells why
    }
    asked_.reset();
}

void Feed::lose(const std::string& why) {
    ticks_.reset();
    asked_.reset();
    why_ = why;
}

std::string Feed::trouble(Clock::time_point now) const {
    if (!why_.empty()) return why_;
    const auto quiet = std::chrono::floor<std::chrono::seconds>(now - news_);
    if (quiet < silence) return {};
    return "No news from mydockerd for " + std::to_string(quiet.count()) +
           " s; what is shown is old.";
}

}  // namespace mydocker::ctl::watch
