// The life of a container as a table: in this state, on this event, go there and do that. What to
// do is data here; container.cpp does it, in one switch. A pair that has no row changes nothing.
//
//   idle ─start→ queued ─slot→ building ─built→ starting ─executed→ running ─exited→ clearing
//    ↑                             ↑                                    │stop ↓          │
//    │                             └─ waiting / arming / armed ←─again──┼─ stopping ─────┤
//    └──────────────────────────────────rest────────────────────────────┴─ killing ──────┘
//
// Beside running stand freezing and paused: pause leads there, unpause back, and stop goes on to
// stopping, thawed. The table knows nothing of policy (verdict.hpp), of what the operator wants in
// the end, or of time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mydocker::supervisor {

enum class State : std::uint8_t {
    idle,        // nothing of it exists: never started, ended, or given up
    queued,      // waits for the host-wide start gate
    building,    // cgroup made, limits written; the init is being cloned
    aborting,    // stopped while building: the init is awaited, only to be killed
    starting,    // the spec goes to the blocked init; its exec is awaited
    running,     // the workload has been executed
    freezing,    // cgroup.freeze was written; the kernel's word for it is awaited
    paused,      // nothing of it runs until it is thawed
    stopping,    // the stop signal was sent
    killing,     // cgroup.kill was written
    unkillable,  // and was not obeyed in time: the kernel holds a process
    clearing,    // the init has ended: survivors, logs, cgroup
    waiting,     // backs off before the next attempt
    arming,      // backs off while the next attempt's init is being made
    armed        // backs off with the next attempt's init blocked and ready
};
inline constexpr std::size_t state_count = 15;

enum class Event : std::uint8_t {
    start,         // the operator, the boot or a dependency wants it up
    stop,          // the operator or a shutdown wants it down
    slot,          // the start gate let it in
    built,         // the init exists, blocked, inside its limits
    build_failed,  // it does not
    executed,      // the close-on-exec pipe ended: the workload runs
    exited,        // the pidfd said so
    pause,         // the operator wants it frozen
    unpause,       // and to go on
    frozen,        // cgroup.events said so
    oom,           // memory.events, and the policy for it is to stop
    emptied,       // cgroup.events: nothing lives in it any more
    again,         // the verdict is another attempt
    rest,          // the verdict is none
    deadline       // the state's time is up
};
inline constexpr std::size_t event_count = 15;

enum class Action : std::uint8_t {
    none,
    request_slot,
    build,
    hold,      // armed: give the slot back, keep the init blocked
    release,   // write the spec and its EOF
    announce,  // it runs
    freeze,    // cgroup.freeze
    stand,     // all of it stands still: say so
    thaw,      // it goes on
    relent,    // it could not be frozen in time: thaw it, and say so
    signal,    // the stop signal, thawed if frozen
    time_out,  // note that the start took too long, then kill
    kill,
    lament,    // say that it cannot be killed, and kill again
    clear,     // record the end, reap, kill survivors
    conclude,  // drain the logs, remove the cgroup, judge: `again` or `rest` follows
    nag,       // still not cleared: kill again and say so
    wait,      // set the back-off's deadline; ask for a slot already when it is to be pre-armed
    settle     // say why it rests
};

struct Row {
    State from;
    Event event;
    State to;
    Action action;
};

// clang-format off
inline constexpr auto table = std::to_array<Row>({
    {State::idle,       Event::start,        State::queued,     Action::request_slot},

    {State::queued,     Event::slot,         State::building,   Action::build},
    {State::queued,     Event::stop,         State::idle,       Action::settle},

    {State::building,   Event::built,        State::starting,   Action::release},
    {State::building,   Event::build_failed, State::clearing,   Action::clear},
    {State::building,   Event::stop,         State::aborting,   Action::none},

    {State::aborting,   Event::built,        State::killing,    Action::kill},
    {State::aborting,   Event::build_failed, State::clearing,   Action::clear},

    {State::starting,   Event::executed,     State::running,    Action::announce},
    {State::starting,   Event::exited,       State::clearing,   Action::clear},
    {State::starting,   Event::stop,         State::killing,    Action::kill},
    {State::starting,   Event::deadline,     State::killing,    Action::time_out},

    {State::running,    Event::exited,       State::clearing,   Action::clear},
    {State::running,    Event::stop,         State::stopping,   Action::signal},
    {State::running,    Event::oom,          State::stopping,   Action::signal},
    {State::running,    Event::pause,        State::freezing,   Action::freeze},

    {State::freezing,   Event::frozen,       State::paused,     Action::stand},
    {State::freezing,   Event::deadline,     State::running,    Action::relent},
    {State::freezing,   Event::unpause,      State::running,    Action::thaw},
    {State::freezing,   Event::exited,       State::clearing,   Action::clear},
    {State::freezing,   Event::stop,         State::stopping,   Action::signal},
    {State::freezing,   Event::oom,          State::stopping,   Action::signal},

    {State::paused,     Event::unpause,      State::running,    Action::thaw},
    {State::paused,     Event::exited,       State::clearing,   Action::clear},
    {State::paused,     Event::stop,         State::stopping,   Action::signal},
    {State::paused,     Event::oom,          State::stopping,   Action::signal},

    {State::stopping,   Event::exited,       State::clearing,   Action::clear},
    {State::stopping,   Event::deadline,     State::killing,    Action::kill},

    {State::killing,    Event::exited,       State::clearing,   Action::clear},
    {State::killing,    Event::deadline,     State::unkillable, Action::lament},

    {State::unkillable, Event::exited,       State::clearing,   Action::clear},
    {State::unkillable, Event::deadline,     State::unkillable, Action::lament},

    {State::clearing,   Event::emptied,      State::clearing,   Action::conclude},
    {State::clearing,   Event::again,        State::waiting,    Action::wait},
    {State::clearing,   Event::rest,         State::idle,       Action::settle},
    {State::clearing,   Event::deadline,     State::clearing,   Action::nag},

    {State::waiting,    Event::deadline,     State::queued,     Action::request_slot},
    {State::waiting,    Event::start,        State::queued,     Action::request_slot},
    {State::waiting,    Event::slot,         State::arming,     Action::build},
    {State::waiting,    Event::stop,         State::idle,       Action::settle},

    {State::arming,     Event::built,        State::armed,      Action::hold},
    {State::arming,     Event::build_failed, State::clearing,   Action::clear},
    {State::arming,     Event::deadline,     State::building,   Action::none},
    {State::arming,     Event::start,        State::building,   Action::none},
    {State::arming,     Event::stop,         State::aborting,   Action::none},

    {State::armed,      Event::deadline,     State::starting,   Action::release},
    {State::armed,      Event::start,        State::starting,   Action::release},
    {State::armed,      Event::stop,         State::killing,    Action::kill},
    {State::armed,      Event::exited,       State::clearing,   Action::clear},
});
// clang-format on

// No pair twice: checked when this header is compiled.
constexpr bool deterministic() {
    for (std::size_t i = 0; i < table.size(); ++i)
        for (std::size_t j = i + 1; j < table.size(); ++j)
            if (table[i].from == table[j].from && table[i].event == table[j].event) return false;
    return true;
}
static_assert(deterministic(), "two rows answer the same event in the same state");

struct Step {
    State to;
    Action action;
    bool operator==(const Step&) const = default;
};

// The table with every pair filled in, so that a step is one look-up.
inline constexpr auto steps = [] {
    std::array<std::array<Step, event_count>, state_count> all{};
    for (std::size_t state = 0; state < state_count; ++state)
        all[state].fill({static_cast<State>(state), Action::none});
    for (const Row& row : table)
        all[static_cast<std::size_t>(row.from)][static_cast<std::size_t>(row.event)] = {row.to,
                                                                                        row.action};
    return all;
}();

constexpr Step step(State state, Event event) {
    return steps[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

// Whether a process of the container may exist in this state.
constexpr bool has_process(State state) {
    return (state >= State::building && state <= State::clearing) || state >= State::arming;
}

std::string_view name(State state);
std::string_view name(Event event);
std::string_view name(Action action);

}  // namespace mydocker::supervisor
