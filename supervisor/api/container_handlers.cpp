// Requests about containers: see handlers.hpp.
#include <nlohmann/json.hpp>

#include "config/scalar.hpp"
#include "supervisor/api/crowd.hpp"
#include "supervisor/api/handlers.hpp"
#include "supervisor/api/views.hpp"

namespace mydocker::supervisor::api {

using nlohmann::json;

namespace {

std::optional<config::Duration> timeout_of(const Request& request) {
    const std::string text = request.get("timeout");
    if (text.empty()) return std::nullopt;
    const bool bare = text.find_first_not_of("0123456789") == std::string::npos;
    const auto parsed = config::parse_duration(bare ? text + "s" : text);
    if (!parsed)
        throw Refusal{"invalid", "timeout \"" + text + "\" is no duration (\"10\", \"1m30s\")"};
    return parsed;
}

// Docker starts a client's container at boot only where its restart policy says so.
config::Autostart default_autostart(config::Policy policy) {
    if (policy == config::Policy::always) return config::Autostart::yes;
    if (policy == config::Policy::unless_stopped) return config::Autostart::unless_stopped;
    return config::Autostart::no;
}

}  // namespace

asio::awaitable<void> list_containers(Call call) {
    const bool all = call.request.flag("all");
    std::string list;
    const Visit show = [&](const Container& container) {
        if (!all && container.stored().origin != Origin::file && container.at_rest()) return;
        list += (list.empty() ? "" : ",") + summary(container).dump();
    };
    co_await visit_all(call.supervisor, show);
    co_await respond_json(call.session, 200, "[" + list + "]");
}

asio::awaitable<void> create_container(Call call) {
    const json body = json_of(call.request.body);
    if (!body.is_object() || !body.contains("container") || !body["container"].is_object())
        throw Refusal{"invalid", "the body must be a JSON object with \"container\": {…}"};
    for (const auto& [key, value] : body.items())
        if (key != "name" && key != "auto_remove" && key != "container")
            throw Refusal{"invalid",
                          "unknown key \"" + key + "\" (known: name, auto_remove, container)"};
    if (body.contains("name") && !body["name"].is_string())
        throw Refusal{"invalid", "\"name\" must be a string"};
    if (body.contains("auto_remove") && !body["auto_remove"].is_boolean())
        throw Refusal{"invalid", "\"auto_remove\" must be true or false"};
    const std::string name = body.value("name", "");
    if (body.contains("name") && !config::valid_name(name))
        throw Refusal{"invalid",
                      "the name \"" + name + "\" is not [a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}"};
    auto loaded =
        config::load_container_json(body["container"].dump(), name.empty() ? "new" : name);
    if (!loaded.ok()) {
        const std::string first = config::to_string(loaded.problems.front());
        throw Refusal{"invalid", first, loaded.problems};
    }
    if (!body["container"].contains("autostart"))
        loaded.container.autostart = default_autostart(loaded.container.restart.policy);
    const auto container =
        call.supervisor.create(name, loaded.container, body.value("auto_remove", false));
    json warnings = json::array();
    for (const auto& problem : loaded.problems) warnings.push_back(config::to_string(problem));
    const json created = {
        {"id", container->id()}, {"name", container->name()}, {"warnings", warnings}};
    co_await respond_json(call.session, 201, created.dump());
}

asio::awaitable<void> get_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    co_await respond_json(call.session, 200, inspection(call.supervisor, *container).dump());
}

asio::awaitable<void> explain_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    co_await respond_json(call.session, 200, explanation(*container).dump());
}

asio::awaitable<void> delete_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    call.supervisor.remove(container->name(), call.request.flag("force"));
    const auto is_there = [&] {
        const auto& all = call.supervisor.containers();
        const auto it = all.find(container->name());
        return it != all.end() && it->second == container;
    };
    if (is_there()) co_await await_rest(call.session, container);
    co_await call.session.respond(204, "", "");
}

asio::awaitable<void> start_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    const std::uint64_t last = container->attempts();
    // Whether the last attempt is the one that will come of it, or the next.
    const bool wanted = container->wish() != Wish::down;
    const bool runs = wanted && container->running();
    const bool begins =
        wanted && (container->state() == State::building || container->state() == State::starting ||
                   container->state() == State::arming || container->state() == State::armed);
    call.supervisor.start(*container);
    if (!runs) co_await await_start(call.session, container, begins ? last - 1 : last);
    co_await respond_json(call.session, 200, summary(*container).dump());
}

asio::awaitable<void> stop_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    container->stop(timeout_of(call.request));
    co_await await_rest(call.session, container);
    co_await respond_json(call.session, 200, summary(*container).dump());
}

asio::awaitable<void> restart_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    const std::uint64_t last = container->attempts();
    if (call.supervisor.shutting_down()) throw Refusal{"busy", "mydockerd is shutting down"};
    container->restart(timeout_of(call.request));
    co_await await_start(call.session, container, last);
    co_await respond_json(call.session, 200, summary(*container).dump());
}

asio::awaitable<void> kill_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    const std::string text =
        call.request.get("signal").empty() ? "SIGKILL" : call.request.get("signal");
    const auto signal = config::parse_signal(text);
    if (!signal) throw Refusal{"invalid", "there is no signal \"" + text + "\""};
    try {
        container->signal(*signal);
    } catch (const std::system_error& error) {
        throw Refusal{"conflict", error.what()};
    }
    co_await call.session.respond(204, "", "");
}

asio::awaitable<void> pause_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    if (container->paused() || container->pausing())
        throw Refusal{"conflict", container->name() + " is paused already"};
    if (!container->running())
        throw Refusal{"conflict", container->name() + " is " +
                                      std::string(shown_state(*container)) +
                                      ": only a running container can be paused"};
    container->pause();
    call.session.watch_peer();
    const Bell::Subscription listening(container->changed, call.session.waker);
    while (container->pausing() && !call.session.gone()) co_await call.session.waker.pause();
    if (!container->paused())
        throw Refusal{container->running() ? "failed" : "conflict",
                      container->name() + ": " + container->reason()};
    co_await respond_json(call.session, 200, summary(*container).dump());
}

asio::awaitable<void> unpause_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    if (!container->paused() && !container->pausing())
        throw Refusal{"conflict", container->name() + " is " +
                                      std::string(shown_state(*container)) + ", and not paused"};
    container->unpause();
    call.session.watch_peer();
    const Bell::Subscription listening(container->changed, call.session.waker);
    while ((container->paused() || container->pausing()) && !call.session.gone())
        co_await call.session.waker.pause();
    co_await respond_json(call.session, 200, summary(*container).dump());
}

}  // namespace mydocker::supervisor::api
