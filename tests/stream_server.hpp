// The other end of mydocker-ctl's connections, played by a test: a socket it listens on, and for
// each connection the request, the answer and frames by hand. Every wait has a deadline.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>

#include "supervisor/protocol/stream.hpp"
#include "tests/pty.hpp"
#include "tests/scratch.hpp"
#include "tools/ctl/stream_client.hpp"

namespace mydocker::tests {

class StreamConnection {
public:
    explicit StreamConnection(int fd) : fd_(fd) {
        std::string& head = request;
        char byte = 0;
        while (!head.ends_with("\r\n\r\n") && is_ready(fd, POLLIN) && ::read(fd, &byte, 1) == 1)
            head += byte;
        const std::size_t length = head.find("Content-Length: ");
        if (length == std::string::npos) return;
        for (std::size_t left = std::stoul(head.substr(length + 16)); left > 0; --left)
            if (is_ready(fd, POLLIN) && ::read(fd, &byte, 1) == 1) body += byte;
    }

    void answer(const std::string& text) { send(text); }
    void answer_json(const std::string& json, const std::string& status = "200 OK") {
        send("HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(json.size()) +
             "\r\n\r\n" + json);
    }
    void upgrade() {
        send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
            "Upgrade: mydocker-stream\r\n\r\n");
    }
    void send(std::string_view bytes) {
        BOOST_TEST_REQUIRE(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                           static_cast<ssize_t>(bytes.size()));
    }
    void send(protocol::Frame type, std::string_view payload) {
        send(protocol::frame(type, payload));
    }
    void credit(std::size_t bytes) {
        std::string payload;
        protocol::put32(payload, static_cast<std::uint32_t>(bytes));
        send(protocol::Frame::credit, payload);
    }
    // nullopt: nothing came in that time, or the client has closed.
    std::optional<ctl::FrameReader::Received> receive(int milliseconds = patience_ms) {
        char buffer[65536];
        while (true) {
            if (auto frame = reader_.next()) return frame;
            if (!is_ready(fd_.get(), POLLIN, milliseconds)) return std::nullopt;
            const ssize_t count = ::read(fd_.get(), buffer, sizeof buffer);
            if (count <= 0) return std::nullopt;
            reader_.feed({buffer, static_cast<std::size_t>(count)});
        }
    }
    int fd() const { return fd_.get(); }
    void close() { fd_ = ctl::UniqueFd(); }

    std::string request;  // its head
    std::string body;

private:
    ctl::UniqueFd fd_;
    ctl::FrameReader reader_;
};

class StreamServer {
public:
    StreamServer() : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        BOOST_TEST_REQUIRE(
            ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        BOOST_TEST_REQUIRE(::listen(listener_.get(), 8) == 0);
    }
    std::string path() const { return (scratch_ / "socket").string(); }
    StreamConnection accept() {
        BOOST_TEST_REQUIRE(is_ready(listener_.get(), POLLIN));
        return StreamConnection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }

    bool is_asked() const { return is_ready(listener_.get(), POLLIN, 0); }

private:
    Scratch scratch_;
    ctl::UniqueFd listener_;
};

}  // namespace mydocker::tests
