// What the containers use, tick by tick: see handlers.hpp. Nothing is read while nobody asks; each
// client has its own readings, so that its percentages are over its own ticks.
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "runtime/usage.hpp"
#include "supervisor/api/crowd.hpp"
#include "supervisor/api/handlers.hpp"
#include "supervisor/api/views.hpp"
#include "supervisor/log_format.hpp"

namespace mydocker::supervisor::api {

using nlohmann::json;

namespace {

constexpr auto sample = std::chrono::milliseconds{500};  // before the first tick

std::chrono::milliseconds interval_of(const Request& request) {
    const std::string text = request.get("interval");
    if (text.empty()) return std::chrono::seconds{1};
    double seconds = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size() ||
        !(seconds >= 0.1 && seconds <= 3600))
        throw Refusal{"invalid",
                      "interval \"" + text + "\" is no number of seconds from 0.1 to 3600"};
    return std::chrono::milliseconds(static_cast<long long>(seconds * 1000));
}

// The ids of the containers that are asked for; empty: all, those to come as well.
std::set<std::string> ids_of(const Call& call) {
    std::set<std::string> ids;
    std::istringstream names(call.request.get("containers"));
    for (std::string name; std::getline(names, name, ',');)
        ids.insert(call.supervisor.find(name)->id());
    return ids;
}

// What a client's percentages are measured from: the CPU time of one attempt at one moment.
struct Reading {
    std::uint64_t attempt = 0;
    std::uint64_t cpu_usec = 0;
    Time time{};
};

class Sampler {
public:
    // One container's object. CPU time of an attempt that was not there at the last tick began
    // after it.
    json read(const Container& container) {
        json object = {{"name", container.name()},
                       {"id", container.id()},
                       {"state", shown_state(container)},
                       {"reason", container.reason()},
                       {"restarts", container.restarts()}};
        if (const auto left = next_start_ms(container)) object["next_start_ms"] = *left;
        const runtime::Cgroup* cgroup = container.living_cgroup();
        if (cgroup == nullptr) return object;
        const runtime::Usage usage = runtime::read_usage(cgroup->fd());
        const Time now = Clock::now();
        show(object, usage);
        if (!usage.cpu_usec) return object;
        const Reading reading{container.last_attempt()->number, *usage.cpu_usec, now};
        Reading before{reading.attempt, 0, last_tick_};
        const auto known = before_.find(container.id());
        if (known != before_.end() && known->second.attempt == reading.attempt)
            before = known->second;
        const double passed = std::chrono::duration<double, std::micro>(now - before.time).count();
        if (last_tick_ != Time{} && passed > 0)
            object["cpu_percent"] =
                100.0 * static_cast<double>(reading.cpu_usec - before.cpu_usec) / passed;
        now_[container.id()] = reading;
        return object;
    }

    void end_tick(Time began) {
        before_ = std::exchange(now_, {});
        last_tick_ = began;
    }

private:
    static void show(json& object, const runtime::Usage& usage) {
        const auto put = [&](const char* key, const auto& value) {
            if (value) object[key] = *value;
        };
        const auto put_limit = [&](const char* key, const runtime::Usage::Number& value) {
            if (value)
                object[key] = *value == runtime::Usage::no_limit ? json(nullptr) : json(*value);
        };
        put("cpu_usec", usage.cpu_usec);
        put("throttled_usec", usage.throttled_usec);
        put("memory", usage.memory);
        put_limit("memory_max", usage.memory_max);
        put("memory_peak", usage.memory_peak);
        put("swap", usage.swap);
        put("pids", usage.pids);
        put_limit("pids_max", usage.pids_max);
        put("io_read", usage.io_read);
        put("io_write", usage.io_write);
        put("oom_kills", usage.oom_kills);
        json pressure = json::object();
        if (usage.cpu_pressure) pressure["cpu"] = *usage.cpu_pressure;
        if (usage.memory_pressure) pressure["memory"] = *usage.memory_pressure;
        if (usage.io_pressure) pressure["io"] = *usage.io_pressure;
        if (!pressure.empty()) object["pressure"] = std::move(pressure);
    }

    std::map<std::string, Reading> before_;  // by id, at the last tick
    std::map<std::string, Reading> now_;
    Time last_tick_{};
};

// All that are asked for: the elements of a JSON array.
asio::awaitable<std::string> read_all(Supervisor& supervisor, Sampler& sampler,
                                      const std::set<std::string>& ids) {
    const Time began = Clock::now();
    std::string list;
    const Visit read = [&](const Container& container) {
        if (!ids.empty() && !ids.contains(container.id())) return;
        list += (list.empty() ? "" : ",") + sampler.read(container).dump();
    };
    co_await visit_all(supervisor, read);
    sampler.end_tick(began);
    co_return list;
}

asio::awaitable<void> pause_until(Session& session, Time time) {
    while (!session.gone() && Clock::now() < time) co_await session.waker.pause(time);
}

}  // namespace

asio::awaitable<void> get_stats(Call call) {
    Session& session = call.session;
    const auto interval = interval_of(call.request);
    const bool follow = call.request.flag("follow");
    const std::set<std::string> ids = ids_of(call);
    session.watch_peer();
    co_await session.begin_chunks("application/x-ndjson");
    Sampler sampler;
    co_await read_all(call.supervisor, sampler, ids);
    Time tick = Clock::now() + std::min<std::chrono::milliseconds>(sample, interval);
    do {
        co_await pause_until(session, tick);
        if (session.gone()) break;
        const std::string containers = co_await read_all(call.supervisor, sampler, ids);
        if (!ids.empty() && containers.empty()) break;  // all of them were removed
        co_await session.chunk("{\"containers\":[" + containers + "],\"time\":\"" +
                               format_time(std::chrono::system_clock::now()) + "\"}\n");
        // A client that was slow to take it misses ticks; they do not pile up.
        tick = std::max(tick + interval, Clock::now());
    } while (follow);
    co_await session.end_chunks();
}

}  // namespace mydocker::supervisor::api
