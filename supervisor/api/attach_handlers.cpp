// Attaching to a container: what it writes is read from its log, so a client that is slow or
// stopped holds nobody up, and any number of them sees the same; what a client types goes into the
// container's stdin.
#include <nlohmann/json.hpp>

#include "supervisor/api/client_input.hpp"
#include "supervisor/api/handlers.hpp"
#include "supervisor/api/log_place.hpp"
#include "supervisor/api/times.hpp"
#include "supervisor/api/views.hpp"
#include "supervisor/log_format.hpp"
#include "supervisor/log_reader.hpp"
#include "supervisor/spawn.hpp"

namespace mydocker::supervisor::api {

namespace {

// Records back into what the workload wrote, neighbours of one stream in one frame.
class Unwrapper {
public:
    struct Piece {
        protocol::Frame stream;
        std::string bytes;
    };

    std::vector<Piece> feed(std::string_view text) {
        std::vector<Piece> pieces;
        rest_ += text;
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos;
             begin = end + 1)
            add(pieces, std::string_view(rest_).substr(begin, end - begin));
        rest_.erase(0, begin);
        return pieces;
    }
    // How many bytes of a record are here whose end has not come yet.
    std::size_t unfinished() const { return rest_.size(); }

private:
    static void add(std::vector<Piece>& pieces, std::string_view record) {
        if (record.size() < log_prefix_size) return;
        const bool is_error = record.substr(log_time_size + 1, 6) == "stderr";
        const auto stream = is_error ? protocol::Frame::error : protocol::Frame::output;
        if (pieces.empty() || pieces.back().stream != stream ||
            pieces.back().bytes.size() + record.size() > protocol::max_frame_bytes)
            pieces.push_back({stream, ""});
        pieces.back().bytes += record.substr(log_prefix_size);
        if (record_flag(record) == 'F') pieces.back().bytes += '\n';
    }

    std::string rest_;
};

std::string position_frame(LogPosition at, std::uint64_t attempt) {
    return protocol::frame(protocol::Frame::position,
                           protocol::encode(protocol::Position{at.file, at.offset, attempt}));
}

// `awaiting`: the container may rest until it makes an attempt after `before`.
asio::awaitable<void> follow_output(Session& session, const Container& container, LogReader& reader,
                                    ClientInput& input, bool awaiting, std::uint64_t before) {
    Unwrapper unwrapper;
    std::uint64_t told = 0;
    co_await session.send_frames(position_frame(reader.position(), before));
    while (!session.gone()) {
        // Asked before reading: what is written until then is read below.
        const bool rests = container.at_rest();
        if (!rests || container.attempts() != before) awaiting = false;
        co_await pass_input(session, input);
        const std::string text = reader.next();
        std::string frames;
        if (reader.skipped() > told) {
            told = reader.skipped();
            frames = protocol::frame(
                protocol::Frame::error,
                "\n[mydocker: this client was too slow; older output was rotated away]\n");
        }
        for (const auto& piece : unwrapper.feed(text))
            frames += protocol::frame(piece.stream, piece.bytes);
        if (!frames.empty()) {
            LogPosition at = reader.position();
            at.offset -= std::min<std::uint64_t>(at.offset, unwrapper.unfinished());
            frames += position_frame(at, before);
            co_await session.send_frames(std::move(frames));
        }
        if (!text.empty()) continue;
        if (rests && !awaiting) break;
        co_await session.waker.pause();
    }
}

}  // namespace

runtime::WindowSize window_of(const Request& request) {
    const auto side = [&](const char* key) {
        const std::uint64_t value = number_of(request, key).value_or(0);
        if (value > 0xffff) throw Refusal{"invalid", std::string(key) + " is over 65535"};
        return static_cast<std::uint16_t>(value);
    };
    return {side("rows"), side("cols")};
}

void require_upgrade(const Request& request) {
    if (request.upgrade != protocol::stream_upgrade)
        throw Refusal{"invalid",
                      "this request needs the headers Connection: Upgrade and Upgrade: " +
                          std::string(protocol::stream_upgrade)};
}

asio::awaitable<void> attach_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    Session& session = call.session;
    require_upgrade(call.request);
    const bool wants_stdin = call.request.flag("stdin");
    const bool await = call.request.flag("await");
    if (wants_stdin && !container->config().stdin_open)
        throw Refusal{"conflict", container->name() +
                                      " was made without stdin: use -i when making it, or "
                                      "stdin_open = true"};
    const auto from = place_of(call.request, container->logs(), Place::record);
    if (container->at_rest() && !await && !from)
        throw Refusal{"conflict", container->name() + " does not run: " + container->reason()};
    const runtime::WindowSize size = window_of(call.request);
    if (size.rows != 0) container->console().resize(size);

    LogReader reader(container->logs(), from.value_or(container->logs().end()));
    const std::uint64_t before = number_of(call.request, "after").value_or(container->attempts());
    const LogHold hold(container->logs(), reader);
    const auto input = std::make_shared<ClientInput>(wants_stdin ? &container->console() : nullptr,
                                                     &container->console(), nullptr);
    co_await session.upgrade();
    const bool once = wants_stdin && call.request.flag("once");
    spawn(call.supervisor.services().executor, "the input of a client",
          read_client(session.shared_from_this(), input, once));
    {
        const Bell::Subscription on_log(container->logs().grew, session.waker);
        const Bell::Subscription on_change(container->changed, session.waker);
        const Bell::Subscription on_room(container->console().ready, session.waker);
        co_await follow_output(session, *container, reader, *input, await, before);
    }
    input->close();
    const std::string end = outcome(*container, container->last_attempt()).dump();
    co_await session.send_frame(protocol::Frame::end, end);
    session.hang_up();
}

}  // namespace mydocker::supervisor::api
