// The names of the life cycle's states, events and actions, as logs, events and the control API
// spell them. Each switch is complete: the compiler says so when an enumerator is added.
#include "supervisor/lifecycle.hpp"

namespace mydocker::supervisor {

std::string_view name(State state) {
    switch (state) {
        case State::idle: return "idle";
        case State::queued: return "queued";
        case State::building: return "building";
        case State::aborting: return "aborting";
        case State::starting: return "starting";
        case State::running: return "running";
        case State::freezing: return "freezing";
        case State::paused: return "paused";
        case State::stopping: return "stopping";
        case State::killing: return "killing";
        case State::unkillable: return "unkillable";
        case State::clearing: return "clearing";
        case State::waiting: return "waiting";
        case State::arming: return "arming";
        case State::armed: return "armed";
    }
    return "?";
}

std::string_view name(Event event) {
    switch (event) {
        case Event::start: return "start";
        case Event::stop: return "stop";
        case Event::slot: return "slot";
        case Event::built: return "built";
        case Event::build_failed: return "build_failed";
        case Event::executed: return "executed";
        case Event::exited: return "exited";
        case Event::pause: return "pause";
        case Event::unpause: return "unpause";
        case Event::frozen: return "frozen";
        case Event::oom: return "oom";
        case Event::emptied: return "emptied";
        case Event::again: return "again";
        case Event::rest: return "rest";
        case Event::deadline: return "deadline";
    }
    return "?";
}

std::string_view name(Action action) {
    switch (action) {
        case Action::none: return "none";
        case Action::request_slot: return "request_slot";
        case Action::build: return "build";
        case Action::hold: return "hold";
        case Action::release: return "release";
        case Action::announce: return "announce";
        case Action::freeze: return "freeze";
        case Action::stand: return "stand";
        case Action::thaw: return "thaw";
        case Action::relent: return "relent";
        case Action::signal: return "signal";
        case Action::time_out: return "time_out";
        case Action::kill: return "kill";
        case Action::lament: return "lament";
        case Action::clear: return "clear";
        case Action::conclude: return "conclude";
        case Action::nag: return "nag";
        case Action::wait: return "wait";
        case Action::settle: return "settle";
    }
    return "?";
}

}  // namespace mydocker::supervisor
