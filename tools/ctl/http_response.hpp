// Takes the bytes of one HTTP/1.1 response in pieces of any size and gives out its status and body.
// It knows nothing of sockets; the body is streamed to a sink, so memory stays constant.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mydocker::ctl {

// What a body is collected to at most where there is no sink.
inline constexpr std::size_t max_collected_bytes = 64UL * 1024 * 1024;

class HttpResponse {
public:
    using Sink = std::function<void(std::string_view)>;

    // The sink gets the body of a 2xx response; every other body, and every body where there is no
    // sink, is collected into body().
    explicit HttpResponse(Sink sink = {});
    ~HttpResponse();
    HttpResponse(HttpResponse&&) noexcept;
    HttpResponse& operator=(HttpResponse&&) noexcept;

    // Throws Failure (125) for bytes that are no HTTP response or exceed a bound.
    void feed(std::string_view bytes);
    // The peer has closed: the end of a body without a length, otherwise Disconnected (125).
    void end_of_stream();

    bool has_header() const;
    bool done() const;
    int status() const;  // 0 before the header is complete
    const std::string& body() const;
    // What stood behind an answer of 101: it is no longer HTTP.
    std::string take_rest();
    // Of an answer in chunks, once done(): a field behind them; "" where there is none.
    std::string trailer(std::string_view name) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mydocker::ctl
