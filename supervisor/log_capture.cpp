// See log_capture.hpp.
#include "supervisor/log_capture.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mydocker::supervisor {

namespace {

constexpr std::size_t chunk_size = 64UL << 10;  // a pipe's usual capacity
// A turn of the loop, for one pipe: so long a flood makes everything else wait.
constexpr std::size_t turn_size = chunk_size / 4;
constexpr std::size_t drain_size = 4UL << 20;  // more than a pipe holds (fs.pipe-max-size: 1 MiB)

// One thread and no suspension while they are in use: these serve all containers.
char chunk[chunk_size];
std::string records;

}  // namespace

LogCapture::LogCapture(const asio::any_io_executor& executor, LogFiles& files,
                       std::array<runtime::UniqueFd, 2> outputs)
    : files_(&files) {
    for (std::size_t i = 0; i < outputs.size(); ++i)
        if (outputs[i]) outputs_[i] = std::make_unique<WatchedFd>(executor, std::move(outputs[i]));
}

void LogCapture::start() {
    for (std::size_t i = 0; i < outputs_.size(); ++i)
        if (outputs_[i]) watch(i);
}

void LogCapture::watch(std::size_t index) {
    (*outputs_[index])
        ->async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this(), index](const asio::error_code& error) {
                         if (error || self->files_ == nullptr) return;
                         if (self->take(index, turn_size))
                             self->watch(index);
                         else
                             self->outputs_[index]->close();
                     });
}

bool LogCapture::take(std::size_t index, std::size_t at_most) {
    for (std::size_t taken = 0; taken < at_most;) {
        const ssize_t count =
            ::read(outputs_[index]->get(), chunk, std::min(sizeof chunk, at_most));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN;
        if (count == 0) return false;
        records.clear();
        format_records(records, {chunk, static_cast<std::size_t>(count)},
                       index == 0 ? Stream::out : Stream::err,
                       format_time(std::chrono::system_clock::now()));
        files_->append(records);
        taken += static_cast<std::size_t>(count);
    }
    return true;
}

void LogCapture::finish() {
    if (files_ == nullptr) return;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        if (!outputs_[i] || !outputs_[i]->is_open()) continue;
        take(i, drain_size);
        outputs_[i]->close();
    }
    files_ = nullptr;
}

}  // namespace mydocker::supervisor
