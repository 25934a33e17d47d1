// HTTP/1.1 requests out of bytes, bytes out of responses. The parser is Boost.Beast's, fed by hand,
// so nothing here reads or writes a socket. Limits are set before memory is given (protocol.hpp).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace mydocker::supervisor::api {

struct Request {
    std::string method;  // "GET"
    std::string path;    // "/v1/containers/web", percent-decoded
    std::map<std::string, std::string> query;
    std::string body;
    bool keep_alive = true;
    std::string upgrade;  // what the connection is to become; "" for HTTP

    // The value of a query parameter; "" where it is not given.
    std::string get(const std::string& key) const;
    bool flag(const std::string& key) const;  // given, and neither "" nor "0" nor "false"
};

class RequestParser {
public:
    enum class State : unsigned char { incomplete, complete, broken };

    RequestParser();
    ~RequestParser();
    RequestParser(RequestParser&&) noexcept;
    RequestParser& operator=(RequestParser&&) noexcept;

    // Takes what belongs to this request and returns how much that was; look at state() afterwards.
    std::size_t feed(std::string_view bytes);
    State state() const { return state_; }
    bool started() const;
    // Broken: the HTTP status and one line.
    int status() const { return status_; }
    const std::string& error() const { return error_; }
    Request take();  // complete only

private:
    struct Beast;
    std::unique_ptr<Beast> beast_;
    State state_ = State::incomplete;
    int status_ = 400;
    std::string error_;
};

std::string_view status_text(int status);

// The head of a response; `length` < 0: chunked.
std::string response_head(int status, std::string_view content_type, long long length,
                          bool keep_alive);

}  // namespace mydocker::supervisor::api
