// See actions.hpp.
#include "tools/ctl/watch/actions.hpp"

#include <nlohmann/json.hpp>

namespace mydocker::ctl::watch {

namespace {

constexpr std::chrono::seconds shown_for{15};

}  // namespace

void Actions::begin(const Verb& verb, const std::string& id, const std::string& name) {
    if (pending_.size() >= most) {
        return say(std::to_string(most) + " actions are under way; wait for one to end", true);
    }
    try {
        const Request request{"POST", container_path(id, verb.path), {}};
        pending_.push_back({client_.open(request, {}, at_once), verb, name});
        say(std::string(verb.doing) + ' ' + name + "...", false);
    } catch (const std::exception& error) {
        say(error.what(), true);
    }
}

void Actions::advance(std::list<Pending>::iterator action) {
    try {
        action->exchange.advance();
        if (!action->exchange.done()) return;
        action->exchange.answer();
        say(std::string(action->verb.done) + ' ' + action->name, false);
    } catch (const std::exception& error) {
        const std::string why = error.what();
        const bool names_it = why.find(action->name) != std::string::npos;
        say(names_it ? why : std::string(action->verb.path) + ' ' + action->name + ": " + why,
            true);
    }
    pending_.erase(action);
}

void Actions::say(std::string text, bool bad) {
    message_ = std::move(text);
    is_bad_ = bad;
    said_ = std::chrono::steady_clock::now();
}

void Actions::forget_old(std::chrono::steady_clock::time_point now) {
    if (pending_.empty() && now - said_ > shown_for) message_.clear();
}

}  // namespace mydocker::ctl::watch
