// Every container of the host, one after the other: with a thousand of them that is too much for
// one turn of the loop.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <vector>

#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor::api {

// Calls `visit` for each, in the order given, over as many turns as that takes; for one that is
// removed meanwhile no more. `visit` is a variable of the caller's: g++ 12 destroys temporaries of
// a co_await twice.
using Visit = std::function<void(Container&)>;
asio::awaitable<void> visit_each(std::vector<Supervisor::ContainerPtr> containers,
                                 const Visit& visit);

// All that there are now, by name.
asio::awaitable<void> visit_all(const Supervisor& supervisor, const Visit& visit);

}  // namespace mydocker::supervisor::api
