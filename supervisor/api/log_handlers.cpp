// A container's log as a stream: see handlers.hpp. The client sets the pace; what it does not read
// stays on disk, and what is rotated away by then is told in its place.
#include <charconv>

#include "supervisor/api/handlers.hpp"
#include "supervisor/api/log_place.hpp"
#include "supervisor/api/times.hpp"
#include "supervisor/log_format.hpp"
#include "supervisor/log_reader.hpp"

namespace mydocker::supervisor::api {

namespace {

// What a request wants of the log: an attempt of it, a span of time, the last lines of that.
struct Wanted {
    std::uint64_t attempt = 0;  // its number; 0: of all attempts
    std::string since;          // log_format's time, or ""
    std::string until;
    std::optional<std::uint64_t> tail;
    bool follow = false;
};

// attempt=0 is the last one, -1 the one before it, a number above 0 that one.
std::uint64_t attempt_of(const Request& request, const Container& container) {
    const std::string text = request.get("attempt");
    if (text.empty()) return 0;
    long long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        throw Refusal{"invalid", "attempt \"" + text + "\" is no number"};
    const auto& ledger = container.ledger();
    if (ledger.empty())
        throw Refusal{"conflict",
                      container.name() + " has made no attempt since mydockerd started"};
    const auto first = static_cast<long long>(ledger.front().number);
    const auto last = static_cast<long long>(ledger.back().number);
    if (number <= 0) number = number < first - last ? 0 : last + number;
    if (number < first || number > last)
        throw Refusal{"conflict", "attempt " + text + " of " + container.name() +
                                      " is not known (known: " + std::to_string(first) + " to " +
                                      std::to_string(last) + ")"};
    return static_cast<std::uint64_t>(number);
}

// Where an attempt's log begins, or the one's after it; nullopt: there is none yet.
std::optional<LogPosition> begin_of_attempt(const Container& container, std::uint64_t number) {
    for (const Attempt& attempt : container.ledger())
        if (attempt.number >= number) return attempt.log;
    return std::nullopt;
}

bool before(const LogPosition& a, const LogPosition& b) {
    return a.file < b.file || (a.file == b.file && a.offset < b.offset);
}

struct Span {
    LogPosition begin;
    std::optional<LogPosition> end;  // nullopt: as it grows
};

asio::awaitable<Span> span_of(const Container& container, const Wanted& wanted) {
    const LogFiles& files = container.logs();
    Span span{files.begin(), std::nullopt};
    if (wanted.attempt != 0) {
        span.begin = begin_of_attempt(container, wanted.attempt).value_or(files.end());
        span.end = begin_of_attempt(container, wanted.attempt + 1);
    }
    if (!wanted.until.empty() && wanted.until < format_time(std::chrono::system_clock::now())) {
        const LogPosition until = co_await find_since(files, wanted.until);
        if (!span.end || before(until, *span.end)) span.end = until;
    }
    if (!wanted.since.empty()) {
        const LogPosition since = co_await find_since(files, wanted.since);
        if (before(span.begin, since)) span.begin = since;
    }
    if (wanted.tail) {
        const LogPosition tail =
            co_await find_tail(files, *wanted.tail, span.end.value_or(files.end()));
        if (before(span.begin, tail)) span.begin = tail;
    }
    if (before(span.begin, files.begin())) span.begin = files.begin();
    co_return span;
}

// For a client that asks for positions: where in the log the bytes behind this line stand.
std::string position_line(const LogPosition& at, std::uint64_t attempt,
                          const std::string& note = {}) {
    return "@" + std::to_string(at.file) + ":" + std::to_string(at.offset) + " " +
           std::to_string(attempt) + (note.empty() ? "" : " " + note) + "\n";
}

// As a record.
std::string too_slow() {
    return format_time(std::chrono::system_clock::now()) +
           " stderr F [mydocker: this reader was too slow; older log was rotated away]";
}

}  // namespace

asio::awaitable<void> get_logs(Call call) {
    const auto container = call.supervisor.find(call.name);
    Session& session = call.session;
    Wanted wanted{.attempt = attempt_of(call.request, *container),
                  .since = time_of(call.request, "since"),
                  .until = time_of(call.request, "until"),
                  .tail = number_of(call.request, "tail"),
                  .follow = call.request.flag("follow")};
    const bool positions = call.request.flag("positions");
    const auto from = place_of(call.request, container->logs(), Place::byte);
    if (from) {
        wanted.since.clear();
        wanted.tail.reset();
    }
    Span span = co_await span_of(*container, wanted);
    if (from) span.begin = *from;
    std::optional<Time> over;  // of a stream that ends in the time to come
    if (!wanted.until.empty())
        over = Clock::now() + (parse_time(wanted.until) - std::chrono::system_clock::now());
    LogReader reader(container->logs(), span.begin);
    session.watch_peer();
    co_await session.begin_chunks("text/plain; charset=utf-8");
    const Bell::Subscription on_log(container->logs().grew, session.waker);
    const Bell::Subscription on_change(container->changed, session.waker);
    bool awaiting = call.request.flag("await");
    std::uint64_t told = 0;
    // Where a client that asks for positions believes to be. One that goes on after a break may be
    // in the middle of a record, so it is told with the first bytes: then it knows what they are.
    std::optional<LogPosition> known;
    if (positions && !from) {
        known = span.begin;
        co_await session.chunk(position_line(*known, wanted.attempt));
    }
    while (!session.gone()) {
        // Asked before reading: what is written until then is read below.
        const bool rests = container->at_rest();
        if (!rests || !container->ledger().empty()) awaiting = false;
        if (wanted.attempt != 0 && !span.end)
            span.end = begin_of_attempt(*container, wanted.attempt + 1);
        std::string text = reader.next(span.end);
        const bool skipped = std::exchange(told, reader.skipped()) != reader.skipped();
        const std::string note = skipped ? too_slow() : "";
        LogPosition begin = reader.position();
        begin.offset -= text.size();
        if (!positions)
            text.insert(0, skipped ? note + "\n" : "");
        else if (skipped || (known != begin && !text.empty()))
            text.insert(0, position_line(begin, wanted.attempt, note));
        if (!text.empty()) known = reader.position();
        if (!text.empty()) {
            co_await session.chunk(std::move(text));
            continue;
        }
        const bool ended = span.end || (rests && !awaiting) || (over && Clock::now() >= *over);
        if (!wanted.follow || ended) break;
        co_await session.waker.pause(over);
    }
    co_await session.end_chunks();
}

}  // namespace mydocker::supervisor::api
