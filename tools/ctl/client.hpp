// The way to mydockerd: blocking HTTP/1.1 over its Unix socket, one connection a request. Several
// requests can be under way at once (an Exchange each); nothing here knows what they mean.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tools/ctl/http_response.hpp"
#include "tools/ctl/progress.hpp"

namespace mydocker::ctl {

using Json = nlohmann::json;

inline constexpr std::chrono::milliseconds answer_limit{30'000};
// How long a refused connection is tried again: mydockerd may be on its way up.
inline constexpr std::chrono::milliseconds connect_patience{2'000};
inline constexpr std::chrono::milliseconds at_once{0};

// A descriptor that is closed with its owner.
class UniqueFd {
public:
    explicit UniqueFd(int fd = -1) : fd_(fd) {}
    ~UniqueFd();
    UniqueFd(UniqueFd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    UniqueFd& operator=(UniqueFd&& other) noexcept;
    int get() const { return fd_; }

private:
    int fd_;
};

struct Request {
    std::string method = "GET";
    std::string target;
    std::string body = {};  // JSON or empty
    bool upgrade = false;   // ask for a framed stream (supervisor/protocol/stream.hpp)
    // Though it is no GET, it may be sent again: it changes nothing, or comes to the same twice.
    bool harmless = false;
};

// One request that has been sent and whose answer is coming in.
class Exchange {
public:
    // Connects and sends, within the deadline; throws Unreachable (125) when mydockerd is not
    // there.
    Exchange(const std::string& socket, const Request& request, HttpResponse::Sink sink = {},
             std::chrono::milliseconds patience = connect_patience);

    int fd() const { return fd_.get(); }
    bool done() const { return response_.done(); }
    // Reads what has come, without blocking; call it when fd() is readable. Throws Disconnected;
    // of what may have been done all the same it says where to look.
    void advance();
    // Waits for more and reads it; false when the time was up first.
    bool advance_until(std::optional<std::chrono::steady_clock::time_point> deadline);
    // Waits for the whole answer; without a limit for as long as it takes.
    void finish(std::optional<std::chrono::milliseconds> limit = std::nullopt,
                Progress* progress = nullptr);

    // The answer once done(): its JSON (null where it had no body). Throws Refused for an error.
    Json answer() const;
    const HttpResponse& response() const { return response_; }
    // After an answer of 101: what came behind it, and the connection, which is the caller's now.
    std::string take_rest() { return response_.take_rest(); }
    UniqueFd take_connection() { return std::move(fd_); }

private:
    UniqueFd fd_;
    HttpResponse response_;
    std::string doubt_;  // what to say when there is no answer; empty: nothing can have been done
};

class Client {
public:
    explicit Client(std::string socket) : socket_(std::move(socket)) {}
    const std::string& socket() const { return socket_; }

    Exchange open(const Request& request, HttpResponse::Sink sink = {},
                  std::chrono::milliseconds patience = connect_patience) const;
    // An ordinary request: the answer must be there within 30 s, or a shorter limit. What changes
    // nothing is sent once more when the connection breaks before the answer begins.
    Json call(const Request& request, std::chrono::milliseconds limit = answer_limit) const;
    // One that takes as long as it takes: `text` says meanwhile what is waited for.
    Json call_patiently(const Request& request, Progress::Text text) const;
    // Streams the body of a 2xx answer to `sink` until the daemon ends it; no time limit. One that
    // outlives mydockerd is stream_steadily()'s (reconnection.hpp).
    void stream(const Request& request, HttpResponse::Sink sink) const;

private:
    std::string socket_;
};

// How one of several requests ended: its answer, or the reason why there is none.
struct Outcome {
    std::optional<Exchange> exchange;
    std::string failure;  // empty: it succeeded
    int exit_code = 0;
};

// Sends the requests, at most 16 at a time, and waits for all of them; outcomes in their order.
// What changes nothing is asked again when mydockerd goes away and comes back.
// `text` says what is waited for, by the request's index; none: nothing is said.
using WaitingText = std::function<std::string(std::size_t index, std::chrono::seconds waited)>;
std::vector<Outcome> perform_all(const Client& client, const std::vector<Request>& requests,
                                 const WaitingText& text = {});

// "/v1/containers/NAME" + action, NAME percent-encoded whatever it contains.
std::string container_path(std::string_view name, std::string_view action = {});
std::string percent_encode(std::string_view text);

}  // namespace mydocker::ctl
