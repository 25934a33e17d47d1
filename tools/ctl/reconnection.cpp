// See reconnection.hpp.
#include "tools/ctl/reconnection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/terminal.hpp"

namespace mydocker::ctl {

namespace {

constexpr std::chrono::seconds lived{1};  // as long as a connection that counts

// The same request's next connection; sleeps between tries.
Exchange connect_again(const Client& client, const Request& request, const HttpResponse::Sink& sink,
                       Reconnection& reconnection) {
    for (;;) {
        std::this_thread::sleep_until(reconnection.next());
        try {
            Exchange exchange = client.open(request, sink, at_once);
            reconnection.connected(Reconnection::Clock::now());
            return exchange;
        } catch (const Unreachable& unreachable) {
            const auto now = Reconnection::Clock::now();
            reconnection.failed(now, unreachable.error());
            require_hope(reconnection, now);
        }
    }
}

void tell(const Reconnection& reconnection) {
    write_error("mydocker-ctl: " + reconnection.note(Reconnection::Clock::now()) + '\n');
}

}  // namespace

void Reconnection::broke(Clock::time_point now) {
    const bool counts = progressed_ || (connected_ && now - *connected_ >= lived);
    connected_.reset();
    absent_.reset();
    progressed_ = false;
    if (begin_ && !counts) return back_off(now);
    begin_ = next_ = now;
    delay_ = delay_.zero();
}

void Reconnection::failed(Clock::time_point now, int error) {
    if (error != ENOENT)
        absent_.reset();
    else if (!absent_)
        absent_ = now;
    back_off(now);
}

void Reconnection::back_off(Clock::time_point now) {
    delay_ = std::clamp(2 * delay_, first_delay, longest_delay);
    next_ = now + delay_;
}

std::string Reconnection::hopeless(Clock::time_point now) const {
    if (absent_ && now - *absent_ >= patience_without_socket)
        return "mydockerd was shut down: its socket is gone";
    if (now >= deadline())
        return "mydockerd did not come back within " +
               std::to_string(std::chrono::floor<std::chrono::seconds>(patience).count()) + " s";
    return {};
}

std::string Reconnection::note(Clock::time_point now) const {
    const std::chrono::duration<double> away = now - begin_.value_or(now);
    char text[32];
    std::snprintf(text, sizeof text, "%.1fs", away.count());
    return "the connection to mydockerd broke; reconnected after " + std::string(text);
}

void require_hope(const Reconnection& reconnection, Reconnection::Clock::time_point now) {
    const std::string why = reconnection.hopeless(now);
    if (!why.empty())
        throw Failure("the connection to mydockerd broke, and " + why, protocol::exit_daemon);
}

void require_whole(const Exchange& exchange) {
    const std::string failure = exchange.response().trailer(protocol::failure_trailer);
    if (!failure.empty()) throw Failure(failure, protocol::exit_daemon);
}

void stream_steadily(const Client& client, const SteadyStream& stream) {
    Reconnection reconnection;
    const HttpResponse::Sink sink = [&](std::string_view bytes) {
        reconnection.progressed();
        stream.sink(bytes);
    };
    Exchange exchange = client.open(stream.request(), sink);
    reconnection.connected(Reconnection::Clock::now());
    bool told = true;
    const auto tell_once = [&] {
        if (!std::exchange(told, true) && !stream.silent) tell(reconnection);
    };
    for (;;) {
        try {
            while (!exchange.done()) {
                const bool answered = exchange.response().has_header();
                if (answered) tell_once();
                std::optional<Reconnection::Clock::time_point> deadline;
                if (!answered && !told) deadline = reconnection.deadline();
                if (!exchange.advance_until(deadline))
                    require_hope(reconnection, Reconnection::Clock::now());
            }
            tell_once();
            exchange.answer();
            return require_whole(exchange);
        } catch (const Disconnected&) {
            reconnection.broke(Reconnection::Clock::now());
            require_hope(reconnection, Reconnection::Clock::now());
        }
        if (stream.on_break) stream.on_break();
        told = false;
        exchange = connect_again(client, stream.request(), sink, reconnection);
    }
}

void finish_steadily(const Client& client, const Request& request, Exchange& exchange,
                     Reconnection& reconnection, Progress* progress) {
    for (bool first = true;; first = false) {
        try {
            return exchange.finish(std::nullopt, progress);
        } catch (const Disconnected& broken) {
            const bool once_more = request.method == "GET" && first && !broken.answer_had_begun();
            if (!request.harmless && !once_more) throw;
            reconnection.broke(Reconnection::Clock::now());
            require_hope(reconnection, Reconnection::Clock::now());
        }
        exchange = connect_again(client, request, {}, reconnection);
        if (request.harmless) tell(reconnection);
    }
}

}  // namespace mydocker::ctl
