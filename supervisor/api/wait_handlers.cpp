// Waiting for what becomes of a container: see handlers.hpp. Each condition is a row: its name and
// whether it is met.
#include <nlohmann/json.hpp>

#include "supervisor/api/handlers.hpp"
#include "supervisor/api/times.hpp"
#include "supervisor/api/views.hpp"

namespace mydocker::supervisor::api {

namespace {

// What a request waits for, and what there was when it came.
struct Wait {
    const Supervisor& supervisor;
    Supervisor::ContainerPtr container;
    std::uint64_t attempts_ended;  // the newest attempt that had ended
    std::uint64_t attempt;         // the one named by the client; 0: none
};

const Attempt* newest_ended(const Container& container) {
    for (auto it = container.ledger().rbegin(); it != container.ledger().rend(); ++it)
        if (it->judged) return &*it;
    return nullptr;
}

bool removed(const Wait& wait) {
    const auto& all = wait.supervisor.containers();
    return std::ranges::none_of(all,
                                [&](const auto& entry) { return entry.second == wait.container; });
}

bool ended_again(const Wait& wait) {
    const Attempt* attempt = newest_ended(*wait.container);
    return attempt != nullptr && attempt->number > wait.attempts_ended;
}

// The first attempt, from the named one on, after which the container came to rest: it may have
// been started again since.
const Attempt* came_to_rest(const Wait& wait) {
    if (wait.attempt == 0) return nullptr;
    for (const Attempt& attempt : wait.container->ledger())
        if (attempt.number >= wait.attempt && attempt.judged && !attempt.verdict.restart)
            return &attempt;
    return nullptr;
}

bool rests(const Wait& wait) { return wait.container->at_rest() || came_to_rest(wait) != nullptr; }

// Whose end is told.
const Attempt* told_of(const Wait& wait, bool (*met)(const Wait&)) {
    if (met == ended_again) {
        for (const Attempt& attempt : wait.container->ledger())
            if (attempt.number > wait.attempts_ended && attempt.judged) return &attempt;
    }
    const Attempt* rested = met == rests ? came_to_rest(wait) : nullptr;
    return rested != nullptr ? rested : wait.container->last_attempt();
}

struct Condition {
    std::string_view name;
    bool (*met)(const Wait&);
};

constexpr Condition conditions[] = {
    {"stopped", rests},
    {"not-running", rests},
    {"running", [](const Wait& wait) { return wait.container->running(); }},
    {"paused", [](const Wait& wait) { return wait.container->paused(); }},
    {"next-exit", ended_again},
    {"removed", removed},
};

const Condition& condition_of(const Request& request) {
    const std::string text = request.get("condition");
    if (text.empty()) return conditions[0];
    std::string known;
    for (const Condition& condition : conditions) {
        if (condition.name == text) return condition;
        known += (known.empty() ? "" : ", ") + std::string(condition.name);
    }
    throw Refusal{"invalid", "there is no condition \"" + text + "\" (known: " + known + ")"};
}

}  // namespace

asio::awaitable<void> await_start(Session& session, Supervisor::ContainerPtr container,
                                  std::uint64_t after) {
    session.watch_peer();
    const Bell::Subscription listening(container->changed, session.waker);
    for (; !session.gone(); co_await session.waker.pause()) {
        const Attempt* last = container->last_attempt();
        if (last == nullptr || last->number <= after) {
            // Stopped again before it was its turn.
            if (container->at_rest() && container->wish() == Wish::down)
                throw Refusal{"conflict", container->name() + ": " + container->reason()};
            continue;
        }
        if (last->executed()) co_return;
        if (!last->ended()) continue;
        throw Refusal{
            "failed",
            container->name() + ": " + (last->error.empty() ? container->reason() : last->error),
            {},
            last->failed_exit_code};
    }
}

asio::awaitable<void> await_rest(Session& session, Supervisor::ContainerPtr container) {
    session.watch_peer();
    const Bell::Subscription listening(container->changed, session.waker);
    while (!container->at_rest() && !session.gone()) {
        if (container->unkillable())
            throw Refusal{"failed", container->name() + ": " + container->reason()};
        co_await session.waker.pause();
    }
}

asio::awaitable<void> wait_container(Call call) {
    Session& session = call.session;
    const Condition& condition = condition_of(call.request);
    const auto container = call.supervisor.find(call.name);
    const Attempt* before = newest_ended(*container);
    const std::uint64_t named = number_of(call.request, "attempt").value_or(0);
    const std::uint64_t ended = before == nullptr ? 0 : before->number;
    const Wait wait{call.supervisor, container, named == 0 ? ended : named - 1, named};
    session.watch_peer();
    const Bell::Subscription listening(container->changed, session.waker);
    // ?await=1: the client opened its ears before the first start.
    bool awaiting = call.request.flag("await") && condition.met != removed;
    for (; !session.gone(); co_await session.waker.pause()) {
        if (!container->at_rest() || !container->ledger().empty() ||
            container->wish() != Wish::down)
            awaiting = false;
        if (!awaiting && condition.met(wait)) break;
        if (removed(wait))
            throw Refusal{"conflict", container->name() + " was removed before it was " +
                                          std::string(condition.name)};
        if (container->unkillable())
            throw Refusal{"failed", container->name() + ": " + container->reason()};
    }
    co_await respond_json(session, 200, outcome(*container, told_of(wait, condition.met)).dump());
}

}  // namespace mydocker::supervisor::api
