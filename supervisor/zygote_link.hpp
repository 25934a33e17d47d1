// The zygote on the loop: requests go out, answers come back to their callbacks, and when the
// zygote dies all that was asked fails with that reason and another zygote is started.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/zygote.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

class ZygoteLink {
public:
    // Called once a request, from the loop, never from within clone(). `error`: "" or a sentence.
    using Callback = std::function<void(runtime::Zygote::Answer answer, const std::string& error)>;

    ZygoteLink(asio::any_io_executor executor, std::string program);

    // Sends one request to the zygote under this number.
    using Ask = std::function<void(runtime::Zygote& zygote, std::uint64_t id)>;
    // Throws std::system_error where the request could not be sent; the callback is then not
    // called.
    void clone(const Ask& ask, Callback callback);

    void close();  // ends the zygote; nothing more is asked of it

    pid_t pid() const { return zygote_ ? zygote_->pid() : -1; }

private:
    void start();
    void watch();
    void read_answers();
    void expect_answer();
    void replace(const std::string& why);
    void fail_all(const std::string& why);

    asio::any_io_executor executor_;
    std::string program_;
    std::unique_ptr<runtime::Zygote> zygote_;
    std::unique_ptr<WatchedFd> watched_;  // a duplicate of the zygote's socket
    std::map<std::uint64_t, Callback> pending_;
    std::uint64_t next_id_ = 1;
    asio::steady_timer patience_;  // runs while something is pending
};

}  // namespace mydocker::supervisor
