// See log_follow.hpp.
#include "tools/ctl/watch/log_follow.hpp"

#include <nlohmann/json.hpp>

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
    try {
        exchange_.emplace(client_.open(
            {"GET",
             container_path(id_, "logs") + "?follow=1&tail=" + std::to_string(lines_before),
             {}},
            [this](std::string_view bytes) { reader_->feed(bytes); }));
    } catch (const std::exception& error) {
        lines_.note(error.what());
    }
}

void LogFollow::advance() {
    try {
        exchange_->advance();
        if (!exchange_->done()) return;
        if (exchange_->response().status() / 100 != 2) exchange_->answer();
        lines_.note("-- " + name_ + " is at rest: its log ends here --");
    } catch (const std::exception& error) {
        lines_.note(std::string("-- ") + error.what() + " --");
    }
    exchange_.reset();
}

}  // namespace mydocker::ctl::watch
