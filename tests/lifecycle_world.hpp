// A model of the world that the life-cycle table acts upon: what exists, what was asked for, what
// the operator wants. It knows no states; it says which events can happen and which actions make
// sense.
#pragma once

#include <compare>
#include <cstdint>

#include "supervisor/lifecycle.hpp"

namespace mydocker::lifecycle {

using namespace mydocker::supervisor;

// What there is outside the table. Every operation answers with what is wrong, or with nullptr.
struct World {
    enum class Slot : std::uint8_t { none, asked, held };
    Slot slot = Slot::none;
    bool building = false;  // an init was asked for and is neither there nor known to have failed
    bool init = false;      // it exists, and its end has not been seen
    bool released = false;  // it was given its spec
    bool executed = false;  // and has executed the workload
    bool killed = false;    // and it was killed since
    enum class Freeze : std::uint8_t { none, asked, frozen };
    Freeze freeze = Freeze::none;  // of the living workload
    // How far the removal of an attempt has come, since its init ended or could not be made.
    enum class Removal : std::uint8_t { none, due, clearing, emptied, concluded };
    Removal removal = Removal::none;
    bool wanted = false;  // asked for, by the operator or a verdict, since the last stop
    auto operator<=>(const World&) const = default;

    bool can_happen(Event event) const {
        switch (event) {
            case Event::start:
            case Event::stop:
            case Event::pause:
            case Event::unpause:
            case Event::deadline: return true;
            case Event::slot: return slot == Slot::asked;
            case Event::built:
            case Event::build_failed: return building;
            case Event::executed: return init && released && !executed;
            case Event::exited: return init;
            case Event::frozen: return init && freeze == Freeze::asked;
            case Event::oom: return init && executed;
            case Event::emptied: return removal == Removal::clearing;
            case Event::again:
            case Event::rest: return removal == Removal::concluded;
        }
        return false;
    }

    // Posted by the supervisor itself, once in answer to `clear` and once to `conclude`. The table
    // relies on it: `clearing` is one state.
    static bool posted_by_actions(Event event) {
        return event == Event::emptied || event == Event::again || event == Event::rest;
    }

    void happens(Event event) {
        if (event == Event::start || event == Event::again) wanted = true;
        if (event == Event::stop || event == Event::rest) wanted = false;
        if (event == Event::slot) slot = Slot::held;
        if (event == Event::executed) executed = true;
        if (event == Event::frozen) freeze = Freeze::frozen;
        if (event == Event::exited) freeze = Freeze::none;
        if (event == Event::emptied) removal = Removal::emptied;
        if (event == Event::again || event == Event::rest) removal = Removal::none;
        if (event == Event::built) init = true, released = executed = killed = false;
        if (event == Event::built || event == Event::build_failed) building = false;
        if (event == Event::build_failed || event == Event::exited) removal = Removal::due;
        if (event == Event::exited) init = false;
    }

    const char* perform(Action action) {
        switch (action) {
            case Action::none: return nullptr;
            case Action::request_slot:
                if (!wanted) return "asks for a slot though nobody wants it";
                if (slot == Slot::none) slot = Slot::asked;
                return slot == Slot::asked ? nullptr : "asks for a slot while it holds one";
            case Action::build:
                if (slot != Slot::held) return "builds without a slot";
                if (building || init || removal != Removal::none)
                    return "builds while another is not cleared";
                building = true;
                return nullptr;
            case Action::hold:
                slot = Slot::none;
                return init && !released ? nullptr : "holds back what is not blocked";
            case Action::release:
                if (!init) return "releases an init that does not exist";
                if (released) return "releases an init twice";
                if (!wanted) return "releases after a stop";
                released = true;
                return nullptr;
            case Action::announce:
                slot = Slot::none;
                return init && executed ? nullptr : "announces what does not run";
            case Action::freeze:
                if (freeze != Freeze::none) return "freezes what is frozen";
                freeze = Freeze::asked;
                return init && executed ? nullptr : "freezes what does not run";
            case Action::stand:
                return freeze == Freeze::frozen ? nullptr : "says paused of what is not frozen";
            case Action::thaw:
            case Action::relent:
                if (freeze == Freeze::none) return "thaws what is not frozen";
                freeze = Freeze::none;
                return init && executed ? nullptr : "thaws what does not run";
            case Action::signal:
                freeze = Freeze::none;  // it thaws, so that the signal can be heeded
                return init && executed ? nullptr : "signals what does not run";
            case Action::time_out:
                killed = true;
                return init && released && !executed ? nullptr : "times out what does not start";
            case Action::kill: killed = true; return init ? nullptr : "kills what does not exist";
            case Action::lament: return init && killed ? nullptr : "laments what was not killed";
            case Action::clear:
                slot = Slot::none;
                if (removal != Removal::due || init || building) return "clears what has not ended";
                removal = Removal::clearing;
                return nullptr;
            case Action::conclude:
                if (removal != Removal::emptied) return "concludes while something lives";
                removal = Removal::concluded;
                return nullptr;
            case Action::nag:
                return removal != Removal::none ? nullptr : "nags though all is cleared";
            case Action::wait:
                slot = Slot::asked;  // as if it were always to be pre-armed
                return nullptr;
            case Action::settle: slot = Slot::none; return nullptr;
        }
        return "does an unknown thing";
    }
};

// The table and its world, one event at a time.
struct Run {
    State state = State::idle;
    World world;
    auto operator<=>(const Run&) const = default;

    // What is wrong with this step, or nullptr.
    const char* feed(Event event) {
        const auto [to, action] = step(state, event);
        const bool answered = to != state || action != Action::none;
        const bool can_happen = world.can_happen(event);
        if (answered && !can_happen) return "answers an event that cannot happen here";
        const bool must_be_answered = event != Event::start && event != Event::stop &&
                                      event != Event::pause && event != Event::unpause &&
                                      event != Event::deadline && event != Event::executed &&
                                      event != Event::oom;
        if (can_happen && must_be_answered && !answered) return "loses an event";
        if (can_happen) world.happens(event);
        if (const char* wrong = world.perform(action)) return wrong;

        if ((action == Action::settle) != (to == State::idle && state != State::idle))
            return "settles elsewhere than on entering idle";
        state = to;
        return disagreement();
    }

    bool cannot_be_posted(Event event) const {
        return World::posted_by_actions(event) && !world.can_happen(event);
    }

    // The facts that each state stands for.
    const char* disagreement() const {
        using enum State;
        const auto one_of = [this](auto... states) { return ((state == states) || ...); };
        if (world.building != one_of(building, aborting, arming)) return "building";
        if (world.init !=
            one_of(starting, running, freezing, paused, stopping, killing, unkillable, armed))
            return "init";
        if ((world.freeze == World::Freeze::asked) != one_of(freezing)) return "freezing";
        if ((world.freeze == World::Freeze::frozen) != one_of(paused)) return "frozen";
        const bool removing = world.removal != World::Removal::none;
        if (removing != one_of(clearing)) return "removal";
        if ((world.building || world.init || removing) != has_process(state)) return "has_process";
        if (one_of(killing, unkillable) != (world.init && world.killed)) return "killed";
        if (one_of(idle, armed, running, freezing, paused, clearing) &&
            world.slot != World::Slot::none)
            return "a slot is kept";
        if (one_of(queued, waiting) && world.slot != World::Slot::asked) return "no slot is asked";
        if (one_of(starting, running) && !world.released) return "not released";
        if (one_of(arming, armed) && world.init && world.released) return "released too early";
        return nullptr;
    }
};

}  // namespace mydocker::lifecycle
