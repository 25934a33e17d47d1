// See http.hpp.
#include "supervisor/api/http.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "supervisor/protocol/protocol.hpp"

namespace mydocker::supervisor::api {

namespace http = boost::beast::http;

struct RequestParser::Beast {
    http::request_parser<http::string_body> parser;
};

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// False where a % is not followed by two digits.
bool decode_percent(std::string_view text, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) return false;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return true;
}

bool parse_query(std::string_view text, std::map<std::string, std::string>& query) {
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), pair.size() + 1));
        const std::size_t equals = pair.find('=');
        std::string key;
        std::string value;
        if (!decode_percent(pair.substr(0, equals), key)) return false;
        if (equals == std::string_view::npos)
            value = "1";
        else if (!decode_percent(pair.substr(equals + 1), value))
            return false;
        query[key] = value;
    }
    return true;
}

}  // namespace

std::string Request::get(const std::string& key) const {
    const auto it = query.find(key);
    return it == query.end() ? "" : it->second;
}

bool Request::flag(const std::string& key) const {
    const std::string value = get(key);
    return !value.empty() && value != "0" && value != "false";
}

RequestParser::RequestParser() : beast_(std::make_unique<Beast>()) {
    beast_->parser.eager(true);
    beast_->parser.header_limit(protocol::max_header_bytes);
    beast_->parser.body_limit(protocol::max_body_bytes);
}

RequestParser::~RequestParser() = default;
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;

bool RequestParser::started() const { return beast_->parser.got_some(); }

std::size_t RequestParser::feed(std::string_view bytes) {
    boost::system::error_code error;
    const std::size_t used =
        beast_->parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (error == http::error::need_more) return used;
    if (error) {
        state_ = State::broken;
        const bool body = error == http::error::body_limit;
        const bool header = error == http::error::header_limit;
        status_ = body ? 413 : header ? 431 : 400;
        error_ = body ? "the request's body is over " + std::to_string(protocol::max_body_bytes) +
                            " bytes"
                 : header ? "the request's header is over " +
                                std::to_string(protocol::max_header_bytes) + " bytes"
                          : "not an HTTP/1.1 request: " + error.message();
        return used;
    }
    if (beast_->parser.is_done()) state_ = State::complete;
    return used;
}

Request RequestParser::take() {
    auto message = beast_->parser.release();
    Request request;
    request.method = std::string(message.method_string());
    request.keep_alive = message.keep_alive();
    if (http::token_list(message[http::field::connection]).exists("upgrade"))
        request.upgrade = std::string(message[http::field::upgrade]);
    request.body = std::move(message.body());
    const std::string target(message.target());
    const std::size_t mark = target.find('?');
    if (!decode_percent(std::string_view(target).substr(0, mark), request.path) ||
        (mark != std::string::npos &&
         !parse_query(std::string_view(target).substr(mark + 1), request.query)))
        request.path.clear();  // no route has it
    return request;
}

std::string_view status_text(int status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 400: return "Bad Request";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 413: return "Payload Too Large";
        case 431: return "Request Header Fields Too Large";
        case 503: return "Service Unavailable";
        default: return "Internal Server Error";
    }
}

std::string response_head(int status, std::string_view content_type, long long length,
                          bool keep_alive) {
    std::string head =
        "HTTP/1.1 " + std::to_string(status) + " " + std::string(status_text(status)) + "\r\n";
    if (!content_type.empty()) head += "Content-Type: " + std::string(content_type) + "\r\n";
    if (length < 0)
        head += "Transfer-Encoding: chunked\r\n";
    else if (status != 204)
        head += "Content-Length: " + std::to_string(length) + "\r\n";
    head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

}  // namespace mydocker::supervisor::api
