// See session.hpp.
#include "supervisor/api/session.hpp"

#include <sys/socket.h>

#include <cerrno>

#include <asio/buffer.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/redirect_error.hpp>
#include <asio/write.hpp>

#include "supervisor/protocol/protocol.hpp"

namespace mydocker::supervisor::api {

namespace {

constexpr auto request_patience = std::chrono::seconds{10};  // from its first byte to its last
constexpr auto idle_patience = std::chrono::seconds{60};     // between requests
constexpr auto use_tuple = asio::experimental::as_tuple(asio::use_awaitable);

}  // namespace

Session::Session(Socket socket) : waker(socket.get_executor()), socket_(std::move(socket)) {}

asio::awaitable<std::optional<Request>> Session::read() {
    if (!keep_alive_ || gone()) co_return std::nullopt;
    parser_ = RequestParser();
    responded_ = false;
    asio::steady_timer timer(socket_.get_executor());
    bool timed = false;
    const Stall stall(*this);
    const auto arm = [&](std::chrono::seconds patience) {
        timer.expires_after(patience);
        timer.async_wait([self = shared_from_this()](const asio::error_code& error) {
            if (!error) self->socket_.cancel();
        });
    };
    arm(idle_patience);
    for (;;) {
        if (!buffer_.empty()) {
            const std::size_t used = parser_.feed(buffer_);
            buffer_.erase(0, used);
            if (parser_.state() == RequestParser::State::broken) {
                timer.cancel();
                keep_alive_ = false;
                co_await respond(parser_.status(), "application/json",
                                 "{\"error\":\"" + parser_.error() + "\",\"code\":\"invalid\"}\n");
                co_return std::nullopt;
            }
            if (parser_.state() == RequestParser::State::complete) {
                timer.cancel();
                Request request = parser_.take();
                keep_alive_ = request.keep_alive;
                co_return request;
            }
            if (parser_.started() && !timed) {
                timed = true;
                arm(request_patience);
            }
        }
        char chunk[8192];
        const auto [error, count] =
            co_await socket_.async_read_some(asio::buffer(chunk), use_tuple);
        if (error) {
            timer.cancel();
            keep_alive_ = false;
            if (error == asio::error::operation_aborted && timed)
                co_await respond(408, "application/json",
                                 "{\"error\":\"the request was not complete within 10 "
                                 "s\",\"code\":\"invalid\"}\n");
            if (error == asio::error::eof && timed)  // it may still listen
                co_await respond(400, "application/json",
                                 "{\"error\":\"the request ended before it was "
                                 "complete\",\"code\":\"invalid\"}\n");
            co_return std::nullopt;
        }
        buffer_.append(chunk, count);
    }
}

asio::awaitable<void> Session::write(std::string data) {
    const Stall stall(*this);
    const auto [error, count] = co_await asio::async_write(socket_, asio::buffer(data), use_tuple);
    if (error) gone_ = true;
}

asio::awaitable<void> Session::respond(int status, std::string content_type, std::string body) {
    responded_ = true;
    if (dismissed_) {
        status = 503;
        body = "{\"error\":\"" + std::string(protocol::shutting_down) + "\",\"code\":\"busy\"}\n";
    }
    std::string data =
        response_head(status, content_type, static_cast<long long>(body.size()), keep_alive_);
    if (status != 204) data += body;
    co_await write(std::move(data));
}

asio::awaitable<void> Session::begin_chunks(std::string content_type) {
    responded_ = true;
    keep_alive_ = false;
    co_await write(response_head(200, content_type, -1, false));
}

asio::awaitable<void> Session::chunk(std::string data) {
    if (data.empty() || gone_) co_return;
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    data.insert(0, size);
    data += "\r\n";
    co_await write(std::move(data));
}

asio::awaitable<void> Session::end_chunks() {
    if (dismissed_ && !responded_) co_return co_await respond(503, "application/json", "");
    if (dismissed_) co_return co_await fail_chunks(std::string(protocol::shutting_down));
    if (!gone_) co_await write("0\r\n\r\n");
}

asio::awaitable<void> Session::upgrade() {
    responded_ = true;
    keep_alive_ = false;
    co_await write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " +
                   std::string(protocol::stream_upgrade) + "\r\n\r\n");
}

asio::awaitable<void> Session::send_frame(protocol::Frame type, std::string payload) {
    if (dismissed_ && type == protocol::Frame::end)
        payload =
            "{\"exit_code\":null,\"reason\":\"" + std::string(protocol::shutting_down) + "\"}";
    if (!gone_) co_await write(protocol::frame(type, payload));
}

asio::awaitable<void> Session::send_frames(std::string frames) {
    if (!gone_) co_await write(std::move(frames));
}

asio::awaitable<bool> Session::fill(std::size_t size) {
    constexpr std::size_t room = 64UL << 10;
    while (buffer_.size() < size) {
        const std::size_t old = buffer_.size();
        buffer_.resize(old + room);
        const auto [error, count] =
            co_await socket_.async_read_some(asio::buffer(buffer_.data() + old, room), use_tuple);
        buffer_.resize(old + (error ? 0 : count));
        if (error) co_return false;
    }
    co_return true;
}

asio::awaitable<std::optional<Session::FrameIn>> Session::read_frame() {
    if (!co_await fill(protocol::frame_header_bytes)) co_return std::nullopt;
    const auto header = protocol::decode(buffer_);
    if (!header || !co_await fill(protocol::frame_header_bytes + header->size))
        co_return std::nullopt;
    FrameIn frame{header->type, buffer_.substr(protocol::frame_header_bytes, header->size)};
    buffer_.erase(0, protocol::frame_header_bytes + header->size);
    co_return frame;
}

asio::awaitable<void> Session::fail_chunks(std::string reason) {
    for (char& c : reason)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    std::string end = "0\r\n" + std::string(protocol::failure_trailer) + ": " + reason + "\r\n\r\n";
    if (!gone_) co_await write(std::move(end));
}

void Session::hang_up() {
    gone_ = true;
    asio::error_code ignored;
    socket_.close(ignored);
    waker.poke();
}

void Session::dismiss() {
    dismissed_ = true;
    waker.poke();
}

// Nothing is consumed, so the next request finds the connection as it should be.
void Session::watch_peer() {
    if (std::exchange(watching_, true)) return;
    socket_.async_wait(Socket::wait_read, [weak = weak_from_this()](const asio::error_code& error) {
        const auto self = weak.lock();
        if (error || !self) return;
        self->watching_ = false;
        char byte = 0;
        const ssize_t count =
            ::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (count > 0) return;  // a client that sends on is still there
        // Asio may wake a new descriptor with the last event of one that was closed in that turn.
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return self->watch_peer();
        self->gone_ = true;
        self->waker.poke();
    });
}

}  // namespace mydocker::supervisor::api
