// What every container uses of the daemon. All of it outlives the containers.
#pragma once

#include <asio/any_io_executor.hpp>
#include <functional>
#include <string>

#include "config/host.hpp"
#include "runtime/cgroup_tree.hpp"
#include "supervisor/journal.hpp"
#include "supervisor/keeper_link.hpp"
#include "supervisor/snapshots.hpp"
#include "supervisor/start_gate.hpp"
#include "supervisor/store.hpp"
#include "supervisor/zygote_link.hpp"

namespace mydocker::supervisor {

class Container;

struct Services {
    asio::any_io_executor executor;
    config::Daemon settings;
    const runtime::CgroupTree& tree;
    ZygoteLink& zygote;
    StartGate& gate;
    Journal& journal;
    const Store& store;
    Snapshots& snapshots;
    KeeperLink& keeper;
    std::function<double()> chance;                            // uniform in [0, 1)
    std::function<void(const std::string& reason)> shut_down;  // on_limit = "shutdown"
    std::function<void(Container&)> rested;                    // it came to rest: --rm asks
};

}  // namespace mydocker::supervisor
