// When the keeper has died, mydockerd becomes the next one: its children stay its own, and their
// ends with them. Where that cannot be done now, it is tried again.
#pragma once

#include <asio/steady_timer.hpp>
#include <functional>
#include <string>
#include <vector>

#include "supervisor/keeper_link.hpp"

namespace mydocker::supervisor {

class KeeperHeir {
public:
    // `hold_all` gives a keeper all that must outlive us; `arguments` of our command line.
    KeeperHeir(asio::any_io_executor executor, std::vector<std::string> arguments,
               std::function<void(KeeperLink&)> hold_all);

    void inherit();  // returns where it could not be done yet
    void close() { retry_.cancel(); }

private:
    asio::any_io_executor executor_;
    std::vector<std::string> arguments_;
    std::function<void(KeeperLink&)> hold_all_;
    asio::steady_timer retry_;
    std::chrono::seconds delay_{1};
};

}  // namespace mydocker::supervisor
