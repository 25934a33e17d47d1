// See log_capture.hpp.
#include "supervisor/log_capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "supervisor/failpoint/failpoint.hpp"

namespace mydocker::supervisor {

namespace {

constexpr std::size_t chunk_size = 64UL << 10;  // a pipe's usual capacity
// A turn of the loop, for one pipe: so long a flood makes everything else wait.
constexpr std::size_t turn_size = chunk_size / 4;
constexpr std::size_t drain_size = 4UL << 20;  // more than a pipe holds (fs.pipe-max-size: 1 MiB)

// One thread and no suspension while they are in use: these serve all containers.
char chunk[chunk_size];
std::string records;

// What is in the pipe, copied and left there: should mydockerd die before the log has it, the next
// one finds it once more. tee(2) wants a pipe of our own to copy into. A terminal cannot be copied:
// its bytes are taken. As read(2).
class Copier {
public:
    // Before the first copy. Throws std::system_error.
    void prepare() {
        if (!scratch_.read) scratch_ = runtime::make_pipe();
    }
    ssize_t copy(int from, std::size_t at_most) {
        const ssize_t copied = ::tee(from, scratch_.write.get(), at_most, SPLICE_F_NONBLOCK);
        left_ = copied > 0;
        if (copied > 0) return ::read(scratch_.read.get(), chunk, static_cast<std::size_t>(copied));
        if (copied < 0 && errno == EINVAL) return ::read(from, chunk, at_most);
        return copied;
    }
    // The log has it.
    void consume(int from, std::size_t size) {
        static char nowhere[chunk_size];
        while (left_ && size > 0) {
            const ssize_t count = ::read(from, nowhere, size);
            if (count <= 0) break;
            size -= static_cast<std::size_t>(count);
        }
    }

private:
    runtime::Pipe scratch_;  // empty between two calls
    bool left_ = false;
};

Copier copier;

}  // namespace

LogCapture::LogCapture(const asio::any_io_executor& executor, LogFiles& files,
                       std::array<runtime::UniqueFd, 2> outputs)
    : files_(&files) {
    copier.prepare();
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
        const int fd = outputs_[index]->get();
        const ssize_t count = copier.copy(fd, std::min(sizeof chunk, at_most));
        if (count < 0 && errno == EINTR) continue;
        // EIO: a terminal's end. Any other error (ENOMEM) passes, and the writer must not stay
        // blocked for it.
        if (count < 0) return errno != EIO;
        if (count == 0) return false;
        records.clear();
        format_records(records, {chunk, static_cast<std::size_t>(count)},
                       index == 0 ? Stream::out : Stream::err,
                       format_time(std::chrono::system_clock::now()));
        failpoint("log.copied");
        files_->append(records);
        failpoint("log.written");
        copier.consume(fd, static_cast<std::size_t>(count));
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
