// See zygote_link.hpp.
#include "supervisor/zygote_link.hpp"

#include <fcntl.h>

#include <asio/post.hpp>

#include "runtime/error.hpp"
#include "supervisor/log.hpp"

namespace mydocker::supervisor {

namespace {

constexpr auto answer_patience =
    std::chrono::seconds{10};  // a clone takes a fraction of a millisecond

}  // namespace

ZygoteLink::ZygoteLink(asio::any_io_executor executor, std::string program)
    : executor_(std::move(executor)), program_(std::move(program)), patience_(executor_) {
    start();
}

void ZygoteLink::start() {
    watched_.reset();
    zygote_ = std::make_unique<runtime::Zygote>(program_);
    watched_ = std::make_unique<WatchedFd>(
        executor_, runtime::UniqueFd(runtime::must(::fcntl(zygote_->fd(), F_DUPFD_CLOEXEC, 3),
                                                   "duplicate the zygote's socket")));
    watch();
}

void ZygoteLink::watch() {
    (*watched_)->async_wait(asio::posix::stream_descriptor::wait_read,
                            [this](const asio::error_code& error) {
                                if (!error) read_answers();
                            });
}

void ZygoteLink::clone(const Ask& ask, Callback callback) {
    if (!zygote_) start();  // the last restart failed; perhaps the host has recovered
    ask(*zygote_, next_id_);
    pending_.emplace(next_id_++, std::move(callback));
    if (pending_.size() == 1) expect_answer();
}

// Some answer must come within the patience; each one that comes begins it anew.
void ZygoteLink::expect_answer() {
    patience_.expires_after(answer_patience);
    patience_.async_wait([this](const asio::error_code& error) {
        if (!error && !pending_.empty()) replace("it did not answer within 10s");
    });
}

void ZygoteLink::read_answers() {
    try {
        while (auto answer = zygote_->receive()) {
            const auto it = pending_.find(answer->id);
            if (it == pending_.end()) continue;
            const Callback callback = std::move(it->second);
            pending_.erase(it);
            std::string error;
            if (answer->pid <= 0)
                error = "clone the process into its cgroup: " +
                        std::generic_category().message(answer->error);
            callback(std::move(*answer), error);
        }
        if (pending_.empty())
            patience_.cancel();
        else
            expect_answer();
        watch();
    } catch (const std::system_error& error) {
        replace(error.what());
    }
}

void ZygoteLink::replace(const std::string& why) {
    log::error("the zygote has failed ({}); starting another", why);
    patience_.cancel();
    watched_.reset();
    zygote_.reset();
    fail_all("the zygote failed before it answered: " + why);
    try {
        start();
    } catch (const std::system_error& again) {
        watched_.reset();
        zygote_.reset();
        log::error("cannot start a zygote: {}; the next container's start tries again",
                   again.what());
    }
}

void ZygoteLink::close() {
    patience_.cancel();
    watched_.reset();
    zygote_.reset();
    pending_.clear();
}

void ZygoteLink::fail_all(const std::string& why) {
    auto lost = std::exchange(pending_, {});
    for (auto& [id, callback] : lost) callback({}, why);
}

}  // namespace mydocker::supervisor
