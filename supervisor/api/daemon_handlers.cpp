// Requests about the daemon and about all containers at once: see handlers.hpp.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "supervisor/api/crowd.hpp"
#include "supervisor/api/handlers.hpp"
#include "supervisor/api/metrics.hpp"
#include "supervisor/api/views.hpp"
#include "supervisor/protocol/protocol.hpp"

namespace mydocker::supervisor::api {

using nlohmann::json;

namespace {

// The containers that {"names": […]} names; every one of the host file where it names none.
std::vector<Supervisor::ContainerPtr> named(const Supervisor& supervisor, const std::string& body) {
    const json object = body.empty() ? json::object() : json_of(body);
    const json names = object.is_object() ? object.value("names", json::array()) : json();
    if (!names.is_array()) throw Refusal{"invalid", "the body must be {\"names\": [\"…\"]}"};
    std::vector<Supervisor::ContainerPtr> found;
    for (const json& name : names) {
        if (!name.is_string()) throw Refusal{"invalid", "a name must be a string"};
        found.push_back(supervisor.find(name.get<std::string>()));
    }
    if (!names.empty()) return found;
    for (const auto& [name, container] : supervisor.containers())
        if (container->stored().origin == Origin::file) found.push_back(container);
    return found;
}

json entry(const Container& container, std::string_view action) {
    return {{"container", container.name()},
            {"action", action},
            {"keys", json::array()},
            {"reason", container.reason()}};
}

}  // namespace

asio::awaitable<void> get_version(Call call) {
    const json version = {{"version", MYDOCKER_VERSION},
                          {"api", protocol::api_version},
                          {"pid", ::getpid()},
                          {"keeper_pid", ::getppid()},
                          {"instance", call.supervisor.journal().instance()}};
    co_await respond_json(call.session, 200, version.dump());
}

asio::awaitable<void> get_info(Call call) {
    co_await respond_json(call.session, 200, information(call.supervisor).dump());
}

asio::awaitable<void> get_metrics(Call call) {
    Metrics metrics;
    const Visit add = [&](const Container& container) { metrics.add(container); };
    co_await visit_all(call.supervisor, add);
    co_await call.session.respond(200, "text/plain; version=0.0.4", metrics.text());
}

asio::awaitable<void> post_shutdown(Call call) {
    call.supervisor.shut_down("asked by a client");
    co_await respond_json(call.session, 202, "{}");
}

asio::awaitable<void> post_upgrade(Call call) {
    const Supervisor::Next next = co_await call.supervisor.prepare_next();
    co_await respond_json(call.session, 202, "{}");
    call.supervisor.leave();
}

asio::awaitable<void> post_reload(Call call) {
    const bool only_plan = call.request.flag("plan");
    const auto changes = only_plan ? call.supervisor.plan() : call.supervisor.reload();
    co_await respond_json(call.session, 200, show(changes, !only_plan).dump());
}

asio::awaitable<void> post_up(Call call) {
    json changes = json::array();
    if (!call.supervisor.config_path().empty())
        changes = show(call.supervisor.reload(), true).at("changes");
    const Visit start = [&](Container& container) {
        if (container.running()) return;
        json change = entry(container, "start");
        change["reason"] = "it was " + std::string(shown_state(container));
        call.supervisor.start(container);
        changes.push_back(std::move(change));
    };
    co_await visit_each(named(call.supervisor, call.request.body), start);
    const json result = {{"changes", changes}};
    co_await respond_json(call.session, 200, result.dump());
}

asio::awaitable<void> post_down(Call call) {
    std::vector<Supervisor::ContainerPtr> stopped;
    const Visit stop = [&](Container& container) {
        if (!container.at_rest()) stopped.push_back(container.shared_from_this());
        container.stop();
    };
    co_await visit_each(named(call.supervisor, call.request.body), stop);
    json changes = json::array();
    for (const auto& container : stopped) {
        co_await await_rest(call.session, container);
        changes.push_back(entry(*container, "stop"));
    }
    const json result = {{"changes", changes}};
    co_await respond_json(call.session, 200, result.dump());
}

}  // namespace mydocker::supervisor::api
