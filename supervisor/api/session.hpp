// One client's connection: requests in, responses out, one after the other. An exception in here
// ends this connection and nothing else. A handler that waits is woken by the client's going away
// as well.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "supervisor/api/http.hpp"
#include "supervisor/protocol/stream.hpp"
#include "supervisor/waker.hpp"

namespace mydocker::supervisor::api {

class Session : public std::enable_shared_from_this<Session> {
public:
    using Socket = asio::local::stream_protocol::socket;
    explicit Session(Socket socket);

    // The next whole request; nullopt when the client has gone, was too slow or talked nonsense (it
    // has then been told).
    asio::awaitable<std::optional<Request>> read();

    asio::awaitable<void> respond(int status, std::string content_type, std::string body);
    asio::awaitable<void> begin_chunks(std::string content_type);
    asio::awaitable<void> chunk(std::string data);  // waits as long as the client needs
    asio::awaitable<void> end_chunks();
    // The end of chunks that are not all: a trailer says why (protocol::failure_trailer).
    asio::awaitable<void> fail_chunks(std::string reason);

    // From here on the connection carries frames (protocol/stream.hpp), both ways at once: one
    // coroutine may send while another reads. hang_up() ends both.
    asio::awaitable<void> upgrade();
    asio::awaitable<void> send_frame(protocol::Frame type, std::string payload);
    asio::awaitable<void> send_frames(std::string frames);  // several, each with its header
    // The client's next frame; nullopt when it has gone or sent what is no frame.
    struct FrameIn {
        protocol::Frame type;
        std::string payload;
    };
    asio::awaitable<std::optional<FrameIn>> read_frame();

    // For a handler that waits: from here on `waker` is poked and gone() is true when the client
    // leaves.
    void watch_peer();
    void hang_up();
    // mydockerd shuts down: gone() from now on, and whatever ends this answer tells the client so.
    void dismiss();
    bool gone() const { return gone_ || dismissed_; }
    bool responded() const { return responded_; }
    // Since when we have been waiting for the client: for a whole request of its, or for it to take
    // what we wrote. nullopt: it is waiting for us.
    std::optional<Waker::Time> stalled_since() const { return stalled_since_; }
    Waker waker;

private:
    class Stall {  // for as long as we wait for the client
    public:
        explicit Stall(Session& session) : session_(session) {
            session_.stalled_since_ = std::chrono::steady_clock::now();
        }
        ~Stall() { session_.stalled_since_.reset(); }
        Stall(const Stall&) = delete;
        Stall& operator=(const Stall&) = delete;

    private:
        Session& session_;
    };

    asio::awaitable<void> write(std::string data);
    asio::awaitable<bool> fill(std::size_t size);  // the buffer, up to `size` bytes

    Socket socket_;
    RequestParser parser_;
    std::string buffer_;  // read, not yet parsed
    std::optional<Waker::Time> stalled_since_;
    bool keep_alive_ = true;
    bool watching_ = false;  // the peer, by a wait in flight
    bool gone_ = false;
    bool dismissed_ = false;
    bool responded_ = false;
};

}  // namespace mydocker::supervisor::api
