// Reads one attempt's stdout and stderr into its container's log. A turn of the loop takes at most
// a bounded amount from each pipe, so a flood delays nobody; the workload then waits on its own
// pipe.
#pragma once

#include <array>
#include <asio/any_io_executor.hpp>
#include <memory>

#include "runtime/unique_fd.hpp"
#include "supervisor/log_files.hpp"
#include "supervisor/log_format.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

class LogCapture : public std::enable_shared_from_this<LogCapture> {
public:
    // The descriptors must be non-blocking; a terminal has only the first.
    LogCapture(const asio::any_io_executor& executor, LogFiles& files,
               std::array<runtime::UniqueFd, 2> outputs);

    void start();
    // stdout (or the terminal) and stderr; -1 once it is closed.
    int fd(std::size_t index) const {
        const auto& output = outputs_[index];
        return output && output->is_open() ? output->get() : -1;
    }
    // What is still in the pipes, then closed: called when every writer is gone, so it cannot
    // block. A writer that is not (a descriptor passed to another container) is cut off rather than
    // waited for.
    void finish();

private:
    void watch(std::size_t index);
    // False when the pipe has ended.
    bool take(std::size_t index, std::size_t at_most);

    LogFiles* files_;  // null once finished
    std::array<std::unique_ptr<WatchedFd>, 2> outputs_;
};

}  // namespace mydocker::supervisor
