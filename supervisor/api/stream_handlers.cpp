// Requests whose answer flows as long as the client stays: logs and events. The client sets the
// pace; what it does not read stays on disk or in the journal's ring, not in memory.
#include <nlohmann/json.hpp>

#include "config/scalar.hpp"
#include "supervisor/api/handlers.hpp"
#include "supervisor/api/views.hpp"
#include "supervisor/log_format.hpp"
#include "supervisor/log_reader.hpp"

namespace mydocker::supervisor::api {

namespace {

// Records begin with their time in UTC, so a time is compared as text; a shorter one is its own
// beginning.
std::string since_of(const Request& request) {
    const std::string text = request.get("since");
    if (text.empty()) return "";
    constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";
    bool good = text.size() >= shape.size() && text.back() == 'Z';
    for (std::size_t i = 0; i < shape.size() && good; ++i)
        good = shape[i] == 'd' ? std::isdigit(static_cast<unsigned char>(text[i])) != 0
                               : text[i] == shape[i];
    if (!good)
        throw Refusal{"invalid",
                      "since \"" + text + "\" is no UTC time such as 2026-01-31T12:00:00Z"};
    std::string whole = text.substr(0, shape.size());
    std::string fraction = text.size() > shape.size() + 1 ? text.substr(shape.size() + 1) : "";
    if (!fraction.empty()) fraction.pop_back();  // the Z
    if (fraction.find_first_not_of("0123456789") != std::string::npos || fraction.size() > 9)
        throw Refusal{"invalid",
                      "since \"" + text + "\" is no UTC time such as 2026-01-31T12:00:00Z"};
    fraction.resize(9, '0');
    return whole + "." + fraction + "Z";
}

asio::awaitable<LogPosition> begin_of(const LogFiles& files, const Request& request) {
    const std::string since = since_of(request);
    const auto tail = number_of(request, "tail");
    LogPosition from = files.begin();
    if (!since.empty()) from = co_await find_since(files, since);
    if (tail) {
        const LogPosition last = co_await find_tail(files, *tail);
        const bool later =
            last.file > from.file || (last.file == from.file && last.offset > from.offset);
        if (later) from = last;
    }
    co_return from;
}

std::string gap(std::uint64_t up_to) {
    const nlohmann::json line = {
        {"type", "gap"}, {"seq", up_to}, {"reason", "older events are no longer known"}};
    return line.dump() + "\n";
}

}  // namespace

std::optional<std::uint64_t> number_of(const Request& request, const std::string& key) {
    const std::string text = request.get(key);
    if (text.empty()) return std::nullopt;
    if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)
        throw Refusal{"invalid", key + " \"" + text + "\" is no number"};
    return std::stoull(text);
}

asio::awaitable<void> get_logs(Call call) {
    const auto container = call.supervisor.find(call.name);
    Session& session = call.session;
    const LogFiles& files = container->logs();
    LogReader reader(files, co_await begin_of(files, call.request));
    session.watch_peer();
    co_await session.begin_chunks("text/plain; charset=utf-8");
    const Bell::Subscription on_log(container->logs().grew, session.waker);
    const Bell::Subscription on_change(container->changed, session.waker);
    const bool follow = call.request.flag("follow");
    bool awaiting = call.request.flag("await");
    std::uint64_t told = 0;
    while (!session.gone()) {
        // Asked before reading: what is written until then is read below.
        const bool rests = container->at_rest();
        if (!rests || !container->ledger().empty()) awaiting = false;
        std::string text = reader.next();
        if (reader.skipped() > told) {
            told = reader.skipped();
            co_await session.chunk(
                format_time(std::chrono::system_clock::now()) +
                " stderr F [mydocker: this reader was too slow; older log was rotated away]\n");
        }
        if (!text.empty()) {
            co_await session.chunk(std::move(text));
            continue;
        }
        if (!follow || (rests && !awaiting)) break;
        co_await session.waker.pause();
    }
    co_await session.end_chunks();
}

asio::awaitable<void> get_events(Call call) {
    Session& session = call.session;
    Journal& journal = call.supervisor.journal();
    const std::string container = call.request.get("container");
    const bool is_name = call.supervisor.containers().contains(container);  // before any id
    std::uint64_t seen =
        number_of(call.request, "since").value_or(call.request.flag("follow") ? journal.last() : 0);
    seen = std::min(seen, journal.last());
    session.watch_peer();
    co_await session.begin_chunks("application/x-ndjson");
    const Bell::Subscription listening(journal.grew, session.waker);
    while (!session.gone()) {
        std::string lines;
        if (seen + 1 < journal.oldest() && seen != 0) {
            lines = gap(journal.oldest() - 1);
        }
        seen = std::max(seen, journal.oldest() - 1);
        while (seen < journal.last() && lines.size() < (64UL << 10)) {
            const JournalEntry& entry = *journal.find(++seen);
            if (container.empty() || entry.container == container ||
                (!is_name && entry.id.starts_with(container)))
                lines += show(entry).dump() + "\n";
        }
        if (!lines.empty()) {
            co_await session.chunk(std::move(lines));
            continue;
        }
        if (seen < journal.last()) continue;
        if (!call.request.flag("follow")) break;
        co_await session.waker.pause();
    }
    co_await session.end_chunks();
}

}  // namespace mydocker::supervisor::api
