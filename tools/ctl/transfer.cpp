// See transfer.hpp.
#include "tools/ctl/transfer.hpp"

#include <poll.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/output.hpp"

namespace mydocker::ctl {

namespace {

std::string size_text(std::uint64_t bytes) {
    double value = static_cast<double>(bytes);
    const char* unit = "B";
    for (const char* larger : {"KiB", "MiB", "GiB", "TiB"}) {
        if (value < 1024) break;
        value /= 1024;
        unit = larger;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %s", value, unit);
    return text;
}

}  // namespace

ByteProgress::ByteProgress(std::string what, bool quiet)
    : quiet_(quiet), progress_([this, what = std::move(what)](std::chrono::seconds) {
          return what + " … " + size_text(total_);
      }) {}

void ByteProgress::add(std::size_t bytes) {
    total_ += bytes;
    if (!quiet_ && Progress::Clock::now() >= progress_.next()) progress_.tick();
}

Download::Download(const Client& client, const std::string& target, ByteProgress& progress)
    : progress_(progress),
      exchange_(client.open({"GET", target, {}},
                            [this](std::string_view bytes) { buffer_.append(bytes); })) {}

std::string_view Download::next() {
    progress_.add(buffer_.size());
    buffer_.clear();
    while (buffer_.empty() && !exchange_.done()) {
        // However long a container's disk takes; mydockerd gives up what does not move.
        pollfd waiting{exchange_.fd(), POLLIN, 0};
        if (::poll(&waiting, 1, -1) < 0 && errno != EINTR)
            throw Failure("wait for mydockerd failed", protocol::exit_daemon);
        exchange_.advance();
    }
    if (!buffer_.empty()) return buffer_;
    exchange_.answer();
    const std::string failure = exchange_.response().trailer(protocol::failure_trailer);
    if (!failure.empty()) throw Failure(failure);
    return {};
}

}  // namespace mydocker::ctl
