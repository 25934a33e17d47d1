// See targets.hpp.
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "config/load.hpp"
#include "runtime/keeper/table.hpp"
#include "supervisor/api/http.hpp"
#include "supervisor/snapshot.hpp"
#include "supervisor/stored_attempt.hpp"
#include "supervisor/stored_container.hpp"
#include "tests/feeder.hpp"

namespace mydocker::fuzz {

namespace {

void promise(bool kept, const std::string& what) {
    if (!kept) throw std::logic_error(what);
}

void check_problems(const std::vector<config::Problem>& problems, bool ok) {
    promise(ok || !problems.empty(), "it is refused without a problem");
    for (const config::Problem& problem : problems)
        promise(!problem.what.empty() && !config::to_string(problem).empty(),
                "a problem without a text");
}

void check_round_trip(const config::Container& container) {
    const std::string json = config::dump_json(container);
    const auto again = config::load_container_json(json, container.name);
    promise(again.ok(), "its canonical JSON is refused: " + json);
    promise(config::dump_json(again.container) == json, "its canonical JSON changes: " + json);
}

using supervisor::api::Request;
using supervisor::api::RequestParser;

// Bytes are refused with a text, or written again as they were. What is void ("") is not written.
void check_stored(std::string_view bytes, auto decode, auto encode) {
    std::optional<decltype(decode(bytes))> decoded;
    try {
        decoded = decode(bytes);
    } catch (const std::exception& error) {
        return promise(!std::string_view(error.what()).empty(), "it is refused without a reason");
    }
    const std::string text = encode(*decoded);
    if (!text.empty()) promise(encode(decode(text)) == text, "it changes: " + text);
}

RequestParser parse(std::string_view first, std::string_view second) {
    tests::Feeder feeder;
    feeder.give(first);
    feeder.give(second);
    return std::move(feeder.parser);
}

// A keeper without a system: its descriptors are numbers, open or not.
class KeptFds {
public:
    void take(const keeper::Message& message, std::size_t bytes, std::size_t count) {
        std::array<std::int32_t, 16> fds{};
        for (std::size_t i = 0; i < count; ++i) open_.insert(fds[i] = lowest());
        const auto close = [this](std::int32_t fd) {
            promise(open_.erase(fd) == 1, "a descriptor is closed that is not open");
        };
        if (!keeper::valid(message, bytes, count)) {
            std::for_each_n(fds.begin(), count, close);
        } else if (message.verb == keeper::Verb::hold || message.verb == keeper::Verb::held) {
            const bool known = table_.find(message.key) != nullptr;
            const bool fits = known || table_.size() < most;
            promise(table_.hold(message, fds.data(), close) == fits, "full, or not");
        } else if (message.verb == keeper::Verb::drop) {
            table_.drop(message.key, message.roles, close);
        } else if (message.verb == keeper::Verb::forget) {
            table_.forget(message.key, close);
            promise(table_.find(message.key) == nullptr, "a key is still there");
        } else if (message.verb == keeper::Verb::prepare) {
            promise(count == 1 || (count == 2 && message.pid > 0), "prepare brings something else");
            std::for_each_n(fds.begin(), count, close);
        } else {
            promise(count == 0, "descriptors come where none belong");
        }
        check();
    }

private:
    static constexpr std::uint32_t most = 5;

    std::int32_t lowest() const {  // as the kernel numbers them
        std::int32_t fd = 3;
        while (open_.contains(fd)) ++fd;
        return fd;
    }

    void check() const {
        promise(table_.size() <= most, "too many keys");
        std::set<std::int32_t> held;
        for (std::uint32_t i = 0; i < table_.size(); ++i) {
            promise(table_.find(table_[i].key) == &table_[i], "a key is there twice");
            promise(table_[i].roles() != 0, "a key without descriptors");
            const bool has_process = table_[i].fds[keeper::role_process] >= 0;
            promise(has_process == (table_[i].pid > 0), "a pid without its process");
            for (const std::int32_t fd : table_[i].fds)
                promise(fd < 0 || held.insert(fd).second, "a descriptor is held twice");
        }
        promise(held == open_, "a descriptor is open and not held, or held and closed");
    }

    keeper::Table<most> table_;
    std::set<std::int32_t> open_;
};

}  // namespace

void host_file(std::string_view bytes) {
    // Its file name lies where no include and no env_file is found.
    const config::Loaded loaded = config::load_text(bytes, "/nonexistent/host.toml");
    check_problems(loaded.problems, loaded.ok());
    if (!loaded.ok()) return;
    promise(!config::dump_json(loaded.host).empty(), "a host without a canonical form");
    for (const auto& [name, container] : loaded.host.containers) check_round_trip(container);
}

void container_json(std::string_view bytes) {
    const config::LoadedContainer loaded = config::load_container_json(bytes, "web");
    check_problems(loaded.problems, loaded.ok());
    if (loaded.ok()) check_round_trip(loaded.container);
}

void request(std::string_view bytes) {
    if (bytes.empty()) return;
    const std::string_view text = bytes.substr(1);
    const std::size_t cut = text.empty() ? 0 : static_cast<unsigned char>(bytes[0]) % text.size();
    RequestParser whole = parse(text, "");
    RequestParser pieces = parse(text.substr(0, cut), text.substr(cut));
    for (const RequestParser* parser : {&whole, &pieces})
        if (parser->state() == RequestParser::State::broken)
            promise(parser->status() >= 400 && !parser->error().empty(),
                    "it is refused without a reason");
    // What is not whole may be found broken sooner or later, as its pieces come.
    const bool complete = whole.state() == RequestParser::State::complete;
    promise(complete == (pieces.state() == RequestParser::State::complete),
            "its pieces are taken for something else");
    if (!complete) return;
    const Request one = whole.take();
    const Request other = pieces.take();
    promise(one.method == other.method && one.path == other.path && one.query == other.query &&
                one.body == other.body && one.keep_alive == other.keep_alive &&
                one.upgrade == other.upgrade,
            "its pieces make another request");
}

void state(std::string_view bytes) {
    check_stored(bytes, supervisor::decode,
                 [](const auto& container) { return supervisor::encode(container); });
}

void attempt(std::string_view bytes) {
    check_stored(bytes, supervisor::decode_record,
                 [](const auto& record) { return supervisor::encode(record); });
}

void snapshot(std::string_view bytes) {
    check_stored(
        bytes, [](std::string_view text) { return supervisor::decode_snapshot(text, "b"); },
        [](const auto& snapshot) { return snapshot ? supervisor::encode(*snapshot, "b") : ""; });
}

void keeper_message(std::string_view bytes) {
    KeptFds kept;
    while (!bytes.empty()) {
        const std::size_t fds = static_cast<unsigned char>(bytes[0]) % 10;
        bytes.remove_prefix(1);
        keeper::Message message{};
        const std::size_t size = std::min(bytes.size(), sizeof message);
        std::memcpy(&message, bytes.data(), size);
        bytes.remove_prefix(size);
        kept.take(message, size, fds);
    }
}

}  // namespace mydocker::fuzz
