// The event stream: see handlers.hpp. The client sets the pace; what it does not read stays in the
// journal's ring, and what has left the ring by then is told as a gap.
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "supervisor/api/handlers.hpp"
#include "supervisor/api/times.hpp"
#include "supervisor/api/views.hpp"
#include "supervisor/log_format.hpp"

namespace mydocker::supervisor::api {

namespace {

std::set<std::string> words_of(const Request& request, const std::string& key) {
    std::set<std::string> words;
    std::istringstream text(request.get(key));
    for (std::string word; std::getline(text, word, ',');)
        if (!word.empty()) words.insert(word);
    return words;
}

// What a client wants to hear of: any of the words of each parameter that it gave.
class Filter {
public:
    explicit Filter(const Call& call)
        : types_(words_of(call.request, "type")),
          states_(words_of(call.request, "state")),
          results_(words_of(call.request, "result")) {
        for (const std::string& word : words_of(call.request, "container"))
            // A name goes before any id that it begins.
            (call.supervisor.containers().contains(word) ? names_ : references_).insert(word);
        for (const std::string& type : types_)
            if (type != "state" && type != "reload" && type != "update" && type != "daemon")
                throw Refusal{"invalid", "there are no events of type \"" + type +
                                             "\" (known: state, reload, update, daemon)"};
    }

    bool wants(const JournalEntry& entry) const {
        const auto among = [](const std::set<std::string>& words, const std::string& word) {
            return words.empty() || words.contains(word);
        };
        return among(types_, entry.type) && among(states_, entry.state) &&
               among(results_, entry.result) && is_named(entry);
    }

private:
    bool is_named(const JournalEntry& entry) const {
        if (names_.empty() && references_.empty()) return true;
        return names_.contains(entry.container) ||
               std::ranges::any_of(references_, [&](const std::string& reference) {
                   return entry.container == reference || entry.id.starts_with(reference);
               });
    }

    std::set<std::string> types_;
    std::set<std::string> states_;
    std::set<std::string> results_;
    std::set<std::string> names_;       // of containers that there are
    std::set<std::string> references_;  // names that were, or beginnings of ids
};

std::string gap(std::uint64_t up_to, const std::string& reason) {
    const nlohmann::json line = {{"type", "gap"}, {"seq", up_to}, {"reason", reason}};
    return line.dump() + "\n";
}

// To a client that asks again after a break: the numbers that it has seen were another mydockerd's.
std::string replaced(const Journal& journal, const std::string& since) {
    const nlohmann::json line = {
        {"type", "replaced"},
        {"time", format_time(std::chrono::system_clock::now())},
        {"instance", journal.instance()},
        {"seq", 0},
        {"reason", "mydockerd was replaced: the last events of the former one, after number " +
                       since + ", may be missing; this one counts from 1 again"}};
    return line.dump() + "\n";
}

// Where a client begins: the number that it has seen, and what it is told to have missed.
struct Begin {
    std::uint64_t seen = 0;
    std::string told;
};

Begin begin_of(const Request& request, const Journal& journal) {
    const std::string since = request.get("since");
    const std::string instance = request.get("instance");
    if (!instance.empty() && instance != journal.instance()) return {0, replaced(journal, since)};
    if (since.empty()) return {request.flag("follow") ? journal.last() : journal.oldest() - 1, ""};
    const bool is_number = since.find_first_not_of("0123456789") == std::string::npos;
    Begin begin;
    if (is_number) {
        begin.seen = number_of(request, "since").value();
        if (begin.seen > journal.last())
            return {journal.oldest() - 1,
                    gap(journal.oldest() - 1,
                        "there is no number " + since +
                            " yet: mydockerd was started since, and counts from 1 again")};
    } else {
        const WallTime time = parse_time(time_of(request, "since"));
        begin.seen = journal.oldest() - 1;
        while (begin.seen < journal.last() && journal.find(begin.seen + 1)->time < time)
            ++begin.seen;
        // Had it begun within the ring, what left the ring would not be asked for.
        if (begin.seen >= journal.oldest() || journal.oldest() == 1) return begin;
        begin.seen = 0;
    }
    return begin;
}

}  // namespace

asio::awaitable<void> get_events(Call call) {
    Session& session = call.session;
    Journal& journal = call.supervisor.journal();
    const Filter filter(call);
    std::optional<WallTime> until;
    if (const std::string text = time_of(call.request, "until"); !text.empty())
        until = parse_time(text);
    const bool follow = call.request.flag("follow");
    auto [seen, told] = begin_of(call.request, journal);
    if (call.request.query.contains("instance")) {
        const nlohmann::json line = {
            {"type", "instance"}, {"instance", journal.instance()}, {"seq", seen}};
        told.insert(0, line.dump() + "\n");
    }
    std::optional<Time> end;
    if (until) end = Clock::now() + (*until - std::chrono::system_clock::now());
    session.watch_peer();
    co_await session.begin_chunks("application/x-ndjson");
    const Bell::Subscription listening(journal.grew, session.waker);
    bool over = false;
    while (!session.gone() && !over) {
        std::string lines = std::exchange(told, "");
        if (seen + 1 < journal.oldest()) {
            seen = journal.oldest() - 1;
            lines += gap(seen, "older events are no longer known");
        }
        while (seen < journal.last() && lines.size() < (64UL << 10) && !over) {
            const JournalEntry& entry = *journal.find(++seen);
            over = until && entry.time > *until;
            if (!over && filter.wants(entry)) lines += show(entry).dump() + "\n";
        }
        if (!lines.empty()) {
            co_await session.chunk(std::move(lines));
            continue;
        }
        if (seen < journal.last()) continue;
        if (!follow || (end && Clock::now() >= *end)) break;
        co_await session.waker.pause(end);
    }
    co_await session.end_chunks();
}

}  // namespace mydocker::supervisor::api
