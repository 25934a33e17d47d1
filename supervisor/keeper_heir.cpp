// See keeper_heir.hpp.
#include "supervisor/keeper_heir.hpp"

#include <algorithm>

#include "supervisor/keeper_start.hpp"
#include "supervisor/log.hpp"
#include "supervisor/service_manager.hpp"

namespace mydocker::supervisor {

namespace {

constexpr auto longest_delay = std::chrono::seconds{10};

}  // namespace

KeeperHeir::KeeperHeir(asio::any_io_executor executor, std::vector<std::string> arguments,
                       std::function<void(KeeperLink&)> hold_all)
    : executor_(std::move(executor)),
      arguments_(std::move(arguments)),
      hold_all_(std::move(hold_all)),
      retry_(executor_) {}

void KeeperHeir::inherit() {
    log::error("the keeper has died; this process becomes the next one");
    try {
        auto [ours, theirs] = runtime::make_keeper_pair();
        KeeperLink next(executor_, std::make_unique<runtime::KeeperSocket>(std::move(ours)),
                        nullptr);
        hold_all_(next);
        next.ready();  // it takes over from one that was at work: it does not give up
        become_keeper(theirs, arguments_);
    } catch (const std::exception& error) {
        log::error(
            "{}; without a keeper, mydockerd's own end loses exit codes and logs. Trying "
            "again in {} s",
            error.what(), delay_.count());
        notify_service_manager("WATCHDOG=1");  // there is nobody else to say so
    }
    retry_.expires_after(delay_);
    retry_.async_wait([this](const asio::error_code& error) {
        if (!error) inherit();
    });
    delay_ = std::min(delay_ * 2, longest_delay);
}

}  // namespace mydocker::supervisor
