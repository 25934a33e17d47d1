// The life-cycle table against a list of its rows written out a second time, and against a model of
// the world it acts upon (lifecycle_world.hpp), over every sequence of events.
#include "supervisor/lifecycle.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/lifecycle_world.hpp"

using namespace mydocker::supervisor;
using mydocker::lifecycle::Run;

namespace {

const std::vector<std::string> golden_rows = {
    "idle start -> queued request_slot",
    "queued slot -> building build",
    "queued stop -> idle settle",
    "building built -> starting release",
    "building build_failed -> clearing clear",
    "building stop -> aborting none",
    "aborting built -> killing kill",
    "aborting build_failed -> clearing clear",
    "starting executed -> running announce",
    "starting exited -> clearing clear",
    "starting stop -> killing kill",
    "starting deadline -> killing time_out",
    "running exited -> clearing clear",
    "running stop -> stopping signal",
    "running oom -> stopping signal",
    "running pause -> freezing freeze",
    "freezing frozen -> paused stand",
    "freezing deadline -> running relent",
    "freezing unpause -> running thaw",
    "freezing exited -> clearing clear",
    "freezing stop -> stopping signal",
    "freezing oom -> stopping signal",
    "paused unpause -> running thaw",
    "paused exited -> clearing clear",
    "paused stop -> stopping signal",
    "paused oom -> stopping signal",
    "stopping exited -> clearing clear",
    "stopping deadline -> killing kill",
    "killing exited -> clearing clear",
    "killing deadline -> unkillable lament",
    "unkillable exited -> clearing clear",
    "unkillable deadline -> unkillable lament",
    "clearing emptied -> clearing conclude",
    "clearing again -> waiting wait",
    "clearing rest -> idle settle",
    "clearing deadline -> clearing nag",
    "waiting deadline -> queued request_slot",
    "waiting start -> queued request_slot",
    "waiting slot -> arming build",
    "waiting stop -> idle settle",
    "arming built -> armed hold",
    "arming build_failed -> clearing clear",
    "arming deadline -> building none",
    "arming start -> building none",
    "arming stop -> aborting none",
    "armed deadline -> starting release",
    "armed start -> starting release",
    "armed stop -> killing kill",
    "armed exited -> clearing clear",
};

constexpr State state_at(std::size_t index) { return static_cast<State>(index); }
constexpr Event event_at(std::size_t index) { return static_cast<Event>(index); }

std::string spelled(State from, Event event, Step step) {
    return std::string{name(from)} + " " + std::string{name(event)} + " -> " +
           std::string{name(step.to)} + " " + std::string{name(step.action)};
}

std::string spelled(const std::vector<Event>& events) {
    std::string text;
    for (const Event event : events) text += (text.empty() ? "" : " ") + std::string{name(event)};
    return text;
}

// Every sequence of `left` more events from here; the first that goes wrong is left in `trace`.
// Impossible events are fed too, and must be ignored, but for those that actions post themselves.
const char* walk(const Run& run, unsigned left, std::vector<Event>& trace, std::uint64_t& count) {
    if (left == 0) {
        ++count;
        return nullptr;
    }
    for (std::size_t index = 0; index < event_count; ++index) {
        if (run.cannot_be_posted(event_at(index))) continue;
        Run after = run;
        trace.push_back(event_at(index));
        if (const char* wrong = after.feed(event_at(index))) return wrong;
        if (const char* wrong = walk(after, left - 1, trace, count)) return wrong;
        trace.pop_back();
    }
    return nullptr;
}

// All that can be reached from idle by events that can happen, each with the shortest way there.
std::map<Run, std::vector<Event>> everything_reachable() {
    std::map<Run, std::vector<Event>> found{{Run{}, {}}};
    std::vector<Run> todo{Run{}};
    for (std::size_t next = 0; next < todo.size(); ++next) {
        const Run from = todo[next];
        for (std::size_t index = 0; index < event_count; ++index) {
            if (from.cannot_be_posted(event_at(index))) continue;
            Run after = from;
            std::vector<Event> way = found.at(from);
            way.push_back(event_at(index));
            const char* wrong = after.feed(event_at(index));
            BOOST_REQUIRE_MESSAGE(!wrong, wrong << " after: " << spelled(way));
            if (found.emplace(after, way).second) todo.push_back(after);
        }
    }
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle)

BOOST_AUTO_TEST_CASE(the_table_is_the_golden_list) {
    std::vector<std::string> rows;
    for (const Row& row : table) rows.push_back(spelled(row.from, row.event, {row.to, row.action}));
    BOOST_CHECK_EQUAL_COLLECTIONS(rows.begin(), rows.end(), golden_rows.begin(), golden_rows.end());
}

BOOST_AUTO_TEST_CASE(step_answers_with_the_row_or_with_nothing) {
    std::set<std::string> answered;
    for (std::size_t s = 0; s < state_count; ++s)
        for (std::size_t e = 0; e < event_count; ++e) {
            const Step taken = step(state_at(s), event_at(e));
            if (taken != Step{state_at(s), Action::none})
                answered.insert(spelled(state_at(s), event_at(e), taken));
        }
    const std::set<std::string> golden{golden_rows.begin(), golden_rows.end()};
    BOOST_CHECK_EQUAL_COLLECTIONS(answered.begin(), answered.end(), golden.begin(), golden.end());
}

BOOST_AUTO_TEST_CASE(every_name_is_told_apart) {
    std::set<std::string_view> states;
    std::set<std::string_view> events;
    std::set<std::string_view> actions;
    for (std::size_t i = 0; i < state_count; ++i) states.insert(name(state_at(i)));
    for (std::size_t i = 0; i < event_count; ++i) events.insert(name(event_at(i)));
    for (int i = 0; i <= static_cast<int>(Action::settle); ++i)
        actions.insert(name(static_cast<Action>(i)));
    BOOST_TEST(states.size() == state_count);
    BOOST_TEST(events.size() == event_count);
    BOOST_TEST(actions.size() == static_cast<std::size_t>(Action::settle) + 1);
    for (const auto& names : {states, events, actions}) BOOST_TEST(!names.contains("?"));
    BOOST_TEST(name(static_cast<State>(state_count)) == "?");
    BOOST_TEST(name(static_cast<Event>(event_count)) == "?");
}

BOOST_AUTO_TEST_CASE(every_sequence_of_seven_events) {
    std::vector<Event> trace;
    std::uint64_t count = 0;
    const char* wrong = walk(Run{}, 7, trace, count);
    BOOST_TEST(!wrong, wrong << " after: " << spelled(trace));
    BOOST_TEST(count > 35'831'808U);  // 12^7, the sequences of events that are always fed
}

// The world is finite, so this holds for sequences of any length.
BOOST_AUTO_TEST_CASE(every_sequence_of_any_length) {
    const auto found = everything_reachable();
    std::set<State> states;
    std::set<std::string> rows;
    for (const auto& [run, way] : found) {
        states.insert(run.state);
        for (std::size_t index = 0; index < event_count; ++index)
            if (run.world.can_happen(event_at(index)))
                rows.insert(spelled(run.state, event_at(index), step(run.state, event_at(index))));
    }
    BOOST_TEST(states.size() == state_count);
    for (const std::string& row : golden_rows)
        BOOST_TEST(rows.contains(row), "never taken: " << row);
}

// From wherever it is, a container comes to rest after a stop, without a start or another attempt,
// and though its workload ends only when it is killed.
BOOST_AUTO_TEST_CASE(a_stop_leads_to_rest_from_everywhere) {
    for (const auto& [run, way] : everything_reachable()) {
        Run stopped = run;
        BOOST_REQUIRE(!stopped.feed(Event::stop));
        std::set<Run> seen{stopped};
        std::vector<Run> todo{stopped};
        bool rests = false;
        for (std::size_t next = 0; next < todo.size(); ++next) {
            const Run from = todo[next];
            rests = rests || from.state == State::idle;
            bool moves = from.state == State::idle;
            for (std::size_t index = 0; index < event_count; ++index) {
                const Event event = event_at(index);
                if (event == Event::start || event == Event::again) continue;
                if (event == Event::oom || (event == Event::exited && !from.world.killed)) continue;
                if (!from.world.can_happen(event)) continue;
                Run after = from;
                BOOST_REQUIRE(!after.feed(event));
                BOOST_TEST(!(after.world.released && !from.world.released),
                           "released after a stop: " << spelled(way));
                moves = moves || after != from;
                if (seen.insert(after).second) todo.push_back(after);
            }
            BOOST_TEST(moves, "stuck in " << name(from.state) << " after: " << spelled(way));
        }
        BOOST_TEST(rests, "never rests after: " << spelled(way));
    }
}

// And up: from wherever it is wanted, time and the gate alone bring it to run, if nothing fails.
BOOST_AUTO_TEST_CASE(what_is_wanted_comes_to_run) {
    for (const auto& [start, way] : everything_reachable()) {
        Run run = start;
        // What the operator paused stays so.
        if (!run.world.wanted || run.state == State::paused) continue;
        constexpr Event forward[] = {Event::slot,    Event::built, Event::exited,  Event::executed,
                                     Event::emptied, Event::again, Event::deadline};
        for (int patience = 0; patience < 20 && run.state != State::running; ++patience)
            for (const Event event : forward)
                if (run.world.can_happen(event) && (event != Event::exited || run.world.killed)) {
                    BOOST_REQUIRE(!run.feed(event));
                    break;
                }
        BOOST_TEST((run.state == State::running), "does not come to run after: " << spelled(way));
    }
}

// A long life with a fixed seed: what was made, ended and given out must balance in its books.
BOOST_AUTO_TEST_CASE(the_books_of_a_long_life_balance) {
    std::mt19937_64 random{20260131};
    Run run;
    std::map<Action, std::uint64_t> performed;
    std::map<Event, std::uint64_t> answered;
    std::uint64_t rests = 0;
    std::vector<Event> trace;
    constexpr int length = 2'000'000;
    for (int i = 0; i < length || run.state != State::idle; ++i) {
        BOOST_REQUIRE(i < length + 1'000'000);
        Event event = event_at(random() % event_count);
        // In the end it is only stopped, and rests.
        if (i >= length && (event == Event::start || event == Event::again)) event = Event::stop;
        if (run.cannot_be_posted(event)) continue;
        if (run.state == State::idle) trace.clear();
        trace.push_back(event);
        const State from = run.state;
        const Step taken = step(from, event);
        // Late or impossible events are ignored by the rows alone, in every state.
        const char* wrong = run.feed(event);
        BOOST_REQUIRE_MESSAGE(!wrong, wrong << " after: " << spelled(trace));
        if (taken == Step{from, Action::none}) continue;
        ++performed[taken.action];
        ++answered[event];
        rests += taken.to == State::idle ? 1 : 0;
    }
    BOOST_TEST(performed[Action::build] == answered[Event::slot]);
    BOOST_TEST(performed[Action::build] == answered[Event::built] + answered[Event::build_failed]);
    BOOST_TEST(answered[Event::built] == answered[Event::exited]);
    BOOST_TEST(performed[Action::clear] == performed[Action::build]);
    BOOST_TEST(performed[Action::conclude] == performed[Action::clear]);
    BOOST_TEST(performed[Action::conclude] == answered[Event::again] + answered[Event::rest]);
    BOOST_TEST(performed[Action::wait] == answered[Event::again]);
    BOOST_TEST(performed[Action::announce] == answered[Event::executed]);
    BOOST_TEST(performed[Action::release] >= performed[Action::announce]);
    BOOST_TEST(performed[Action::release] <= answered[Event::built]);
    BOOST_TEST(performed[Action::settle] == rests);
    BOOST_TEST(performed[Action::freeze] >= performed[Action::stand] + performed[Action::relent]);
    for (int i = 0; i <= static_cast<int>(Action::settle); ++i)
        BOOST_TEST(performed[static_cast<Action>(i)] > 0U, name(static_cast<Action>(i)));
}

BOOST_AUTO_TEST_SUITE_END()
