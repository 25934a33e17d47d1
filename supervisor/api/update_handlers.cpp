// Changing a container that there is: its limits and policy, and its name. See handlers.hpp.
#include <nlohmann/json.hpp>

#include "config/scalar.hpp"
#include "supervisor/api/handlers.hpp"
#include "supervisor/api/views.hpp"

namespace mydocker::supervisor::api {

using nlohmann::json;

asio::awaitable<void> update_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    const json body = json_of(call.request.body);
    if (!body.is_object() || body.empty())
        throw Refusal{"invalid",
                      "the body must be a JSON object of TOML keys, as {\"mem_limit\": \"64m\"}"};
    const Supervisor::Updated updated = call.supervisor.update(*container, body.dump());
    json warnings = json::array();
    for (const auto& problem : updated.problems) warnings.push_back(config::to_string(problem));
    const json answer = {{"name", container->name()},
                         {"keys", updated.change.keys},
                         {"reason", updated.change.reason},
                         {"warnings", warnings}};
    co_await respond_json(call.session, 200, answer.dump());
}

asio::awaitable<void> rename_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    const std::string to = call.request.get("to");
    if (!config::valid_name(to))
        throw Refusal{"invalid", "the name \"" + to + "\" is not [a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}"};
    call.supervisor.rename(*container, to);
    co_await respond_json(call.session, 200, summary(*container).dump());
}

asio::awaitable<void> top_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    const runtime::Cgroup* cgroup = container->living_cgroup();
    if (cgroup == nullptr)
        throw Refusal{"conflict", container->name() + " is " +
                                      std::string(shown_state(*container)) +
                                      ": it has no processes"};
    const json answer = {{"name", container->name()},
                         {"state", shown_state(*container)},
                         {"pids", cgroup->processes()}};
    co_await respond_json(call.session, 200, answer.dump());
}

}  // namespace mydocker::supervisor::api
