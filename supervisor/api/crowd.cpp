// See crowd.hpp.
#include "supervisor/api/crowd.hpp"

#include "supervisor/next_turn.hpp"

namespace mydocker::supervisor::api {

asio::awaitable<void> visit_each(std::vector<Supervisor::ContainerPtr> containers,
                                 const Visit& visit) {
    Stint stint;
    for (const auto& container : containers) {
        if (container->discarded()) continue;
        visit(*container);
        co_await stint.rest();
    }
}

asio::awaitable<void> visit_all(const Supervisor& supervisor, const Visit& visit) {
    std::vector<Supervisor::ContainerPtr> all;
    all.reserve(supervisor.containers().size());
    for (const auto& [name, container] : supervisor.containers()) all.push_back(container);
    co_await visit_each(std::move(all), visit);
}

}  // namespace mydocker::supervisor::api
