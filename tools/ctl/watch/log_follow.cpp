// See log_follow.hpp.
#include "tools/ctl/watch/log_follow.hpp"

#include <nlohmann/json.hpp>

#include "tools/ctl/error.hpp"

namespace mydocker::ctl::watch {

namespace {

constexpr std::size_t lines_before = 1000;

}  // namespace

LogFollow::LogFollow(const Client& client, std::string id, std::string name)
    : client_(client), id_(std::move(id)), name_(std::move(name)) {
    ask_again();
}

void LogFollow::ask_again() {
    lines_.clear();
    reader_.emplace([this](LogStream stream, std::string_view, std::string_view text) {
        lines_.add(stream, text);
    });
    log_.emplace([this](std::string_view bytes) { reader_->feed(bytes); });
    away_ = false;
    try {
        ask("&tail=" + std::to_string(lines_before));
    } catch (const std::exception& error) {
        end(error.what());
    }
}

void LogFollow::ask(const std::string& begin) {
    const auto sink = [this](std::string_view bytes) {
        reconnection_.progressed();
        log_->feed(bytes);
    };
    const Request request{"GET", container_path(id_, "logs?follow=1&positions=1") + begin, {}};
    exchange_.emplace(client_.open(request, sink, at_once));
    reconnection_.connected(Reconnection::Clock::now());
    away_ = false;
}

void LogFollow::end(const std::string& why) {
    exchange_.reset();
    away_ = false;
    lines_.note(why);
}

void LogFollow::turn(Reconnection::Clock::time_point now) {
    if (!away_ || now < reconnection_.next()) return;
    try {
        ask("&from=" + log_->from());
    } catch (const Unreachable& unreachable) {
        reconnection_.failed(now, unreachable.error());
        const std::string why = reconnection_.hopeless(now);
        if (!why.empty()) end("-- " + why + " --");
    } catch (const std::exception& error) {
        end(std::string("-- ") + error.what() + " --");
    }
}

void LogFollow::advance() {
    try {
        exchange_->advance();
        if (!exchange_->done()) return;
        if (exchange_->response().status() / 100 != 2) exchange_->answer();
        require_whole(*exchange_);
        end("-- " + name_ + " is at rest: its log ends here --");
    } catch (const Disconnected& broken) {
        if (!log_->is_known()) return end(std::string("-- ") + broken.what() + " --");
        exchange_.reset();
        log_->restart();
        away_ = true;
        reconnection_.broke(Reconnection::Clock::now());
    } catch (const std::exception& error) {
        end(std::string("-- ") + error.what() + " --");
    }
}

}  // namespace mydocker::ctl::watch
