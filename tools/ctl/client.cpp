// Connecting, sending and receiving, each with a deadline. Parsing is http_response.cpp's.
#include "tools/ctl/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "supervisor/protocol/protocol.hpp"
#include "supervisor/protocol/stream.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/reconnection.hpp"

namespace mydocker::ctl {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds connect_limit{5'000};
constexpr std::size_t most_in_flight = 16;

[[noreturn]] void unreachable(const std::string& socket, int error) {
    std::string message = "cannot reach mydockerd at " + socket + ": " + std::strerror(error);
    if (error == ENOENT || error == ECONNREFUSED) {
        message += ". Is it running? Start it with `mydockerd`.";
    } else if (error == EACCES) {
        message += ". Only root and mydockerd's own user may use it; try with sudo.";
    }
    throw Unreachable(message, protocol::exit_daemon, error);
}

[[noreturn]] void fail(const std::string& what, int error) {
    throw Failure(what + ": " + std::strerror(error), protocol::exit_daemon);
}

// False when the deadline has passed first.
bool wait_until_ready(int fd, short events, std::optional<Clock::time_point> deadline) {
    while (true) {
        int timeout = -1;
        if (deadline) {
            const auto left = std::chrono::ceil<milliseconds>(*deadline - Clock::now());
            if (left <= milliseconds::zero()) return false;
            timeout = static_cast<int>(left.count());
        }
        pollfd waiting{fd, events, 0};
        const int ready = ::poll(&waiting, 1, timeout);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) fail("wait for mydockerd", errno);
    }
}

UniqueFd connect_to(const std::string& socket, milliseconds patience) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.empty() || socket.size() >= sizeof address.sun_path) {
        unreachable(socket, ENAMETOOLONG);
    }
    socket.copy(address.sun_path, socket.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd.get() < 0) fail("make a socket", errno);
    const auto begin = Clock::now();
    while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        if (errno == EINTR) continue;
        // A Unix socket answers EAGAIN while its backlog is full and offers nothing to poll for.
        const bool full = errno == EAGAIN;
        if (!full && errno != ECONNREFUSED) unreachable(socket, errno);
        const milliseconds limit = full && patience > at_once ? connect_limit : patience;
        if (Clock::now() >= begin + limit) unreachable(socket, full ? ETIMEDOUT : errno);
        std::this_thread::sleep_for(milliseconds{full ? 5 : 20});
    }
    return fd;
}

void send_all(int fd, std::string_view bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            if (!wait_until_ready(fd, POLLOUT, deadline)) fail("send to mydockerd", ETIMEDOUT);
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return;  // refused before it was whole: the reason may be there to read
        } else if (errno != EINTR) {
            fail("send to mydockerd", errno);
        }
    }
}

std::string encode(const Request& request) {
    std::string text = request.method + ' ' + request.target +
                       " HTTP/1.1\r\nHost: mydockerd\r\n"
                       "User-Agent: mydocker-ctl/" MYDOCKER_VERSION "\r\n";
    if (request.upgrade) {
        text.append("Connection: Upgrade\r\nUpgrade: ").append(protocol::stream_upgrade);
        text += "\r\n";
    } else {
        text += "Connection: close\r\n";
    }
    if (request.method != "GET" || !request.body.empty()) {
        text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    }
    if (!request.body.empty()) text += "Content-Type: application/json\r\n";
    return text + "\r\n" + request.body;
}

bool is_harmless(const Request& request) { return request.method == "GET" || request.harmless; }

// What is said when a request that changes something has no answer: it is not sent twice.
std::string doubt_about(const Request& request) {
    if (is_harmless(request)) return {};
    constexpr std::string_view prefix = "/v1/containers/";
    std::string look = "ps -a";
    if (request.target.starts_with(prefix)) {
        const std::string rest = request.target.substr(prefix.size());
        look = "status " + rest.substr(0, rest.find_first_of("/?"));
    }
    return "mydockerd went away before it answered; look with 'mydocker-ctl " + look +
           "' whether it was done";
}

std::string problem_line(const Json& problem) {
    if (!problem.is_object())
        return problem.is_string() ? problem.get<std::string>() : problem.dump();
    const auto field = [&](const char* key) {
        const auto it = problem.find(key);
        return it != problem.end() && it->is_string() ? it->get<std::string>() : std::string{};
    };
    std::string line = field("key");
    line += (line.empty() ? "" : ": ") + field("what");
    if (!field("hint").empty()) line += " (" + field("hint") + ")";
    return line;
}

[[noreturn]] void refuse(int status, const std::string& body) {
    std::string message = "mydockerd answered with HTTP status " + std::to_string(status);
    std::vector<std::string> problems;
    // 404 and 409 speak of a container; a broken daemon or request is 125 (docker run(1)).
    int exit_code = status == 404 || status == 409 ? 1 : protocol::exit_daemon;
    const Json error = Json::parse(body, nullptr, false);
    if (error.is_object()) {
        if (error.contains("error") && error["error"].is_string()) message = error["error"];
        if (error.contains("problems") && error["problems"].is_array()) {
            for (const Json& problem : error["problems"]) problems.push_back(problem_line(problem));
        }
        if (error.contains("exit_code") && error["exit_code"].is_number_integer()) {
            exit_code = error["exit_code"];
        }
    }
    throw Refused(message, exit_code, status, std::move(problems));
}

}  // namespace

UniqueFd::~UniqueFd() {
    if (fd_ >= 0) ::close(fd_);
}

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Exchange::Exchange(const std::string& socket, const Request& request, HttpResponse::Sink sink,
                   milliseconds patience)
    : fd_(connect_to(socket, patience)), response_(std::move(sink)), doubt_(doubt_about(request)) {
    send_all(fd_.get(), encode(request), Clock::now() + answer_limit);
}

void Exchange::advance() {
    std::array<char, 32 * 1024> buffer;
    const ssize_t received = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (received > 0) {
        response_.feed({buffer.data(), static_cast<std::size_t>(received)});
    } else if (received == 0 || errno == ECONNRESET) {
        try {
            response_.end_of_stream();
        } catch (const Disconnected& broken) {
            if (doubt_.empty() || response_.has_header()) throw;
            throw Disconnected(doubt_, broken.exit_code(), broken.answer_had_begun());
        }
    } else if (errno != EAGAIN && errno != EINTR) {
        fail("read from mydockerd", errno);
    }
}

bool Exchange::advance_until(std::optional<Clock::time_point> deadline) {
    if (!wait_until_ready(fd_.get(), POLLIN, deadline)) return false;
    advance();
    return true;
}

void Exchange::finish(std::optional<milliseconds> limit, Progress* progress) {
    std::optional<Clock::time_point> deadline;
    if (limit) deadline = Clock::now() + *limit;
    while (!done()) {
        std::optional<Clock::time_point> wake = deadline;
        if (progress != nullptr && (!wake || progress->next() < *wake)) wake = progress->next();
        if (wake == Clock::time_point::max()) wake.reset();
        if (advance_until(wake)) continue;
        if (progress != nullptr) progress->tick();
        if (!deadline || Clock::now() < *deadline) continue;
        throw Failure(
            "mydockerd did not answer within " + std::to_string(limit->count() / 1000) + " s",
            protocol::exit_daemon);
    }
}

Json Exchange::answer() const {
    const int status = response_.status();
    if (status / 100 != 2) refuse(status, response_.body());
    if (response_.body().empty()) return nullptr;
    Json json = Json::parse(response_.body(), nullptr, false);
    if (json.is_discarded()) {
        throw Failure("mydockerd's answer is not JSON", protocol::exit_daemon);
    }
    return json;
}

Exchange Client::open(const Request& request, HttpResponse::Sink sink,
                      milliseconds patience) const {
    return Exchange(socket_, request, std::move(sink), patience);
}

Json Client::call(const Request& request, milliseconds limit) const {
    for (bool may_repeat = is_harmless(request);; may_repeat = false) {
        Exchange exchange = open(request);
        try {
            exchange.finish(limit);
            return exchange.answer();
        } catch (const Disconnected& broken) {
            if (!may_repeat || broken.answer_had_begun()) throw;
        }
    }
}

Json Client::call_patiently(const Request& request, Progress::Text text) const {
    Exchange exchange = open(request);
    Progress progress(std::move(text));
    exchange.finish(std::nullopt, &progress);
    return exchange.answer();
}

void Client::stream(const Request& request, HttpResponse::Sink sink) const {
    Exchange exchange = open(request, std::move(sink));
    exchange.finish();
    exchange.answer();
    require_whole(exchange);
}

std::vector<Outcome> perform_all(const Client& client, const std::vector<Request>& requests,
                                 const WaitingText& text) {
    std::vector<Outcome> outcomes(requests.size());
    std::size_t awaited = 0;
    Reconnection reconnection;
    std::optional<Progress> progress;
    if (text) {
        progress.emplace([&](std::chrono::seconds waited) { return text(awaited, waited); });
    }
    for (std::size_t first = 0, next = 0; first < requests.size();) {
        while (next < requests.size() && next - first < most_in_flight) {
            outcomes[next].exchange.emplace(client.open(requests[next]));
            ++next;
        }
        // In order, because a slow one among them holds up at most the sending of the next ones.
        awaited = first;
        Outcome& oldest = outcomes[first++];
        try {
            finish_steadily(client, requests[awaited], *oldest.exchange, reconnection,
                            progress ? &*progress : nullptr);
            oldest.exchange->answer();
        } catch (const Failure& failure) {
            oldest.failure = failure.what();
            oldest.exit_code = failure.exit_code();
        }
    }
    return outcomes;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    std::string encoded;
    for (const char c : text) {
        if (plain.find(c) != std::string_view::npos) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', hex[byte >> 4U], hex[byte & 15U]};
        }
    }
    return encoded;
}

std::string container_path(std::string_view name, std::string_view action) {
    if (name.empty()) throw UsageError("a container's name cannot be empty");
    std::string path = "/v1/containers/" + percent_encode(name);
    if (!action.empty()) path.append("/").append(action);
    return path;
}

}  // namespace mydocker::ctl
