// See upload.hpp.
#include "tools/ctl/upload.hpp"

#include <poll.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/output.hpp"

namespace mydocker::ctl {

namespace {

StreamClient open_stream(const Client& client, const std::string& target) {
    Exchange exchange = client.open({.method = "POST", .target = target, .upgrade = true});
    exchange.finish(answer_limit);
    return StreamClient(exchange);
}

}  // namespace

Upload::Upload(const Client& client, const std::string& target, ByteProgress& progress)
    : progress_(progress), stream_(open_stream(client, target)) {}

void Upload::wait() {
    const bool idle = stream_.writer().is_idle();
    // However slow the container's disk is; mydockerd gives up what does not move.
    pollfd waiting{stream_.fd(), static_cast<short>(POLLIN | (idle ? 0 : POLLOUT)), 0};
    if (::poll(&waiting, 1, -1) < 0 && errno != EINTR)
        throw Failure("wait for mydockerd failed", protocol::exit_daemon);
    stream_.flush();
    const bool open = (waiting.revents & ~POLLOUT) == 0 || stream_.receive();
    while (auto frame = stream_.next())
        if (frame->type == protocol::Frame::end) end_ = std::move(frame->payload);
    if (!open && !end_)
        throw Failure("mydockerd closed the connection in the middle of the copy",
                      protocol::exit_daemon);
}

std::string Upload::end() {
    const Json answer = Json::parse(*end_, nullptr, false);
    const std::string reason = text_of(answer, "reason");
    if (number_of(answer, "exit_code", 1) != 0)
        throw Failure(reason.empty() ? "the copy has failed" : reason);
    return reason;
}

void Upload::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t room = stream_.writer().input_room();
        if (room > 0) {
            const std::string_view part = bytes.substr(0, room);
            stream_.writer().input(part);
            stream_.flush();
            progress_.add(part.size());
            bytes.remove_prefix(part.size());
        } else {
            wait();
        }
        if (end_) {
            end();
            throw Failure("mydockerd ended the copy before it was whole");
        }
    }
}

std::string Upload::finish() {
    stream_.writer().end_input();
    stream_.flush();
    while (!end_) wait();
    return end();
}

}  // namespace mydocker::ctl
