// See stream_client.hpp.
#include "tools/ctl/stream_client.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

using protocol::Frame;

namespace {

constexpr std::size_t most_input_at_once = 64UL << 10;
constexpr std::size_t most_control = 64UL << 10;  // thousands of resizes nobody takes
constexpr int switching_protocols = 101;

[[noreturn]] void broken(const std::string& why) {
    throw Failure("mydockerd's stream makes no sense: " + why, protocol::exit_daemon);
}

}  // namespace

std::optional<FrameReader::Received> FrameReader::next() {
    if (bytes_.size() < protocol::frame_header_bytes) return std::nullopt;
    const auto header = protocol::decode(bytes_);
    if (!header) broken("a frame's header is none");
    const std::size_t end = protocol::frame_header_bytes + header->size;
    if (bytes_.size() < end) return std::nullopt;
    Received received{header->type, bytes_.substr(protocol::frame_header_bytes, header->size)};
    bytes_.erase(0, end);
    return received;
}

std::size_t FrameWriter::input_room() const {
    if (!input_.empty()) return 0;
    return std::min(most_input_at_once, protocol::window - unacknowledged_);
}

void FrameWriter::input(std::string_view bytes) {
    if (bytes.empty()) return;  // would be the end
    unacknowledged_ += bytes.size();
    input_ += protocol::frame(Frame::input, bytes);
}

void FrameWriter::end_input() { input_ += protocol::frame(Frame::input, {}); }

void FrameWriter::control(Frame type, std::string_view payload) {
    if (control_.size() < most_control) control_ += protocol::frame(type, payload);
}

void FrameWriter::credit(std::size_t bytes) {
    if (bytes > unacknowledged_) broken("it takes more input than was sent");
    unacknowledged_ -= bytes;
}

std::string_view FrameWriter::next() {
    if (current_.empty()) current_.swap(control_.empty() ? input_ : control_);
    return std::string_view(current_).substr(sent_);
}

void FrameWriter::sent(std::size_t count) {
    sent_ += count;
    while (!current_.empty()) {
        const std::size_t whole = protocol::frame_header_bytes + protocol::decode(current_)->size;
        if (sent_ < whole) return;
        current_.erase(0, whole);
        sent_ -= whole;
    }
}

std::size_t FrameWriter::restart() {
    sent_ = 0;
    std::size_t waiting = 0;
    for (const std::string_view frames : {std::string_view(current_), std::string_view(input_)}) {
        for (std::size_t at = 0; at < frames.size();) {
            const auto header = protocol::decode(frames.substr(at));
            if (header->type == Frame::input) waiting += header->size;
            at += protocol::frame_header_bytes + header->size;
        }
    }
    return std::exchange(unacknowledged_, waiting) - waiting;
}

StreamClient::StreamClient(Exchange& exchange) { resume(exchange); }

void StreamClient::resume(Exchange& exchange) {
    const int status = exchange.response().status();
    if (status != switching_protocols) {
        exchange.answer();  // throws Refused
        broken("HTTP status " + std::to_string(status) + " instead of an upgrade");
    }
    reader_ = FrameReader();
    reader_.feed(exchange.take_rest());
    connection_ = exchange.take_connection();
    broken_ = false;
}

void StreamClient::flush() {
    while (!broken_) {
        const std::string_view bytes = writer_.next();
        if (bytes.empty()) return;
        const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            writer_.sent(static_cast<std::size_t>(sent));
        } else if (errno == EPIPE || errno == ECONNRESET) {
            broken_ = true;  // nobody reads it: receive() will tell
        } else if (errno != EINTR) {
            if (errno == EAGAIN) return;
            throw Failure(std::string("send to mydockerd: ") + std::strerror(errno),
                          protocol::exit_daemon);
        }
    }
}

bool StreamClient::receive() {
    std::array<char, 64 * 1024> buffer;
    const ssize_t count = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) reader_.feed({buffer.data(), static_cast<std::size_t>(count)});
    if (count < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNRESET) {
        throw Failure(std::string("read from mydockerd: ") + std::strerror(errno),
                      protocol::exit_daemon);
    }
    const bool ended = count == 0 || (count < 0 && errno == ECONNRESET);
    broken_ = broken_ || ended;
    return !ended;
}

std::optional<FrameReader::Received> StreamClient::next() {
    while (auto received = reader_.next()) {
        if (received->type != Frame::credit) return received;
        if (received->payload.size() != 4)
            broken("a credit of " + std::to_string(received->payload.size()) + " bytes");
        writer_.credit(protocol::get32(received->payload));
    }
    return std::nullopt;
}

void StreamClient::resize(std::uint16_t rows, std::uint16_t columns) {
    std::string payload;
    protocol::put16(payload, rows);
    protocol::put16(payload, columns);
    writer_.control(Frame::resize, payload);
}

}  // namespace mydocker::ctl
