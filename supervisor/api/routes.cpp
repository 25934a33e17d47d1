// See routes.hpp.
#include "supervisor/api/routes.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "supervisor/api/handlers.hpp"
#include "supervisor/api/views.hpp"
#include "supervisor/log.hpp"

namespace mydocker::supervisor::api {

namespace {

struct Route {
    std::string_view method;
    std::string_view path;  // "{name}" stands for one part
    Handler handler;
};

constexpr Route routes[] = {
    {"GET", "/v1/version", get_version},
    {"GET", "/v1/info", get_info},
    {"GET", "/metrics", get_metrics},
    {"POST", "/v1/shutdown", post_shutdown},
    {"POST", "/v1/upgrade", post_upgrade},
    {"POST", "/v1/reload", post_reload},
    {"POST", "/v1/up", post_up},
    {"POST", "/v1/down", post_down},
    {"GET", "/v1/events", get_events},
    {"GET", "/v1/stats", get_stats},
    {"GET", "/v1/containers", list_containers},
    {"POST", "/v1/containers", create_container},
    {"GET", "/v1/containers/{name}", get_container},
    {"DELETE", "/v1/containers/{name}", delete_container},
    {"POST", "/v1/containers/{name}/start", start_container},
    {"POST", "/v1/containers/{name}/stop", stop_container},
    {"POST", "/v1/containers/{name}/restart", restart_container},
    {"POST", "/v1/containers/{name}/kill", kill_container},
    {"POST", "/v1/containers/{name}/pause", pause_container},
    {"POST", "/v1/containers/{name}/unpause", unpause_container},
    {"POST", "/v1/containers/{name}/wait", wait_container},
    {"POST", "/v1/containers/{name}/attach", attach_container},
    {"POST", "/v1/containers/{name}/exec", exec_in_container},
    {"POST", "/v1/containers/{name}/update", update_container},
    {"POST", "/v1/containers/{name}/rename", rename_container},
    {"GET", "/v1/containers/{name}/top", top_container},
    {"GET", "/v1/containers/{name}/logs", get_logs},
    {"GET", "/v1/containers/{name}/explain", explain_container},
    {"GET", "/v1/containers/{name}/archive", get_archive},
    {"POST", "/v1/containers/{name}/archive", post_archive},
    {"GET", "/v1/containers/{name}/export", get_export},
    {"GET", "/v1/containers/{name}/changes", get_changes},
};

// Whether the path is the pattern's, and what stood for {name}.
bool match(std::string_view pattern, std::string_view path, std::string& name) {
    constexpr std::string_view hole = "{name}";
    const std::size_t at = pattern.find(hole);
    if (at == std::string_view::npos) return pattern == path;
    const std::string_view before = pattern.substr(0, at);
    const std::string_view after = pattern.substr(at + hole.size());
    if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
        !path.ends_with(after))
        return false;
    const std::string_view part =
        path.substr(before.size(), path.size() - before.size() - after.size());
    if (part.find('/') != std::string_view::npos) return false;
    name = part;
    return true;
}

int status_of(const Refusal& refusal) {
    if (refusal.code == "not_found") return 404;
    if (refusal.code == "conflict") return 409;
    if (refusal.code == "invalid") return 400;
    if (refusal.code == "busy") return 503;
    if (refusal.code == "method") return 405;
    return 500;
}

asio::awaitable<void> dispatch(Supervisor& supervisor, Session& session, const Request& request) {
    bool known_path = false;
    for (const Route& route : routes) {
        std::string name;
        if (!match(route.path, request.path, name)) continue;
        known_path = true;
        if (route.method != request.method) continue;
        // Named, not a temporary: g++ 12 destroys aggregate temporaries of a co_await twice.
        const Call call{supervisor, session, request, std::move(name)};
        co_return co_await route.handler(call);
    }
    if (known_path) throw Refusal{"method", request.method + " is not for " + request.path};
    throw Refusal{"not_found",
                  "there is no " + (request.path.empty() ? "such path" : request.path)};
}

}  // namespace

nlohmann::json json_of(const std::string& body) {
    // Copying and writing JSON recurse: the depth is a client's, the stack is ours.
    constexpr int deepest = 64;
    using Event = nlohmann::json::parse_event_t;
    std::vector<std::set<std::string>> keys;  // of the objects that are open
    const auto check = [&](int depth, Event event, nlohmann::json& value) {
        if (depth > deepest) throw Refusal{"invalid", "the body nests too deep"};
        if (event == Event::object_start) keys.emplace_back();
        if (event == Event::object_end) keys.pop_back();
        if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
            throw Refusal{"invalid", "the key " + value.dump() + " stands twice in one object"};
        return true;
    };
    return nlohmann::json::parse(body, check, false);
}

asio::awaitable<void> respond_json(Session& session, int status, std::string json) {
    json += '\n';
    co_await session.respond(status, "application/json", std::move(json));
}

asio::awaitable<void> answer(Supervisor& supervisor, Session& session, const Request& request) {
    std::optional<Refusal> refusal;
    try {
        co_await dispatch(supervisor, session, request);
    } catch (const Refusal& refused) {
        refusal = refused;
    } catch (const std::exception& exception) {
        log::error("{} {}: {}", request.method, request.path, exception.what());
        refusal = Refusal{"failed", exception.what()};
    }
    // A path may hold bytes that are no UTF-8: they are shown as they can be.
    if (!refusal || session.responded()) co_return;
    std::string body =
        error_body(*refusal).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    co_await respond_json(session, status_of(*refusal), std::move(body));
}

}  // namespace mydocker::supervisor::api
