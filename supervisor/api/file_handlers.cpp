// Requests for a container's files. mydocker-files does the work; here its output goes to the
// client and the client's input to it, as fast as the slower of both.
#include <nlohmann/json.hpp>

#include "supervisor/api/client_input.hpp"
#include "supervisor/api/handlers.hpp"
#include "supervisor/input_end.hpp"
#include "supervisor/log.hpp"
#include "supervisor/spawn.hpp"

namespace mydocker::supervisor::api {

namespace {

using HelperPtr = FileAccess::HelperPtr;

constexpr std::size_t piece = 64UL << 10;

// However a handler ends, so does its helper.
class Ending {
public:
    explicit Ending(HelperPtr helper) : helper_(std::move(helper)) {}
    ~Ending() { helper_->kill("the client has gone"); }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;

private:
    HelperPtr helper_;
};

std::string path_of(const Request& request) {
    std::string path = request.get("path");
    if (path.empty()) throw Refusal{"invalid", "which path? (?path=/etc/hosts)"};
    if (path.find('\0') != std::string::npos) throw Refusal{"invalid", "the path holds a NUL byte"};
    return path;
}

Refusal refusal_of(const Container& container, const FileHelper& helper) {
    const char* code = helper.code() == 2   ? "not_found"
                       : helper.code() == 3 ? "conflict"
                                            : "failed";
    return {code, container.name() + ": " + helper.message()};
}

// The answer begins with the first byte, so that what cannot even begin is an ordinary error.
asio::awaitable<void> send_output(Session& session, const Container& container, HelperPtr helper,
                                  std::string content_type) {
    const Ending ending(helper);
    session.watch_peer();
    const Bell::Subscription on_output(helper->output.ready, session.waker);
    const Bell::Subscription on_end(helper->changed, session.waker);
    while (!session.gone()) {
        // Asked before reading: what it wrote until then is read below.
        const bool ended = helper->ended();
        std::string bytes = helper->output.read(piece);
        if (!bytes.empty()) {
            if (!session.responded()) co_await session.begin_chunks(content_type);
            co_await session.chunk(std::move(bytes));
            helper->moved();
            continue;
        }
        if (ended) break;
        helper->output.watch();
        co_await session.waker.pause();
    }
    if (session.gone()) co_return co_await session.end_chunks();
    if (helper->code() == 0) {
        if (!session.responded()) co_await session.begin_chunks(content_type);
        co_return co_await session.end_chunks();
    }
    const Refusal refusal = refusal_of(container, *helper);
    if (!session.responded()) throw refusal;
    log::warn("{}", refusal.text);
    std::string reason = refusal.text;
    co_await session.fail_chunks(std::move(reason));
}

}  // namespace

asio::awaitable<void> get_archive(Call call) {
    const auto container = call.supervisor.find(call.name);
    const HelperPtr helper = call.supervisor.files().pack(container, path_of(call.request),
                                                          call.request.flag("follow") ? "L" : "");
    co_await send_output(call.session, *container, helper, "application/x-tar");
}

asio::awaitable<void> post_archive(Call call) {
    const auto container = call.supervisor.find(call.name);
    Session& session = call.session;
    require_upgrade(call.request);
    std::string flags;
    if (call.request.flag("owner")) flags += 'a';
    if (call.request.flag("as_named")) flags += 'n';
    const HelperPtr helper =
        call.supervisor.files().unpack(container, path_of(call.request), flags);
    const Ending ending(helper);
    const auto& executor = call.supervisor.services().executor;
    InputEnd end(executor);
    end.open(std::move(helper->input), false);
    const auto input = std::make_shared<ClientInput>(&end, nullptr, nullptr);
    co_await session.upgrade();
    spawn(executor, "a copy into " + container->name(),
          read_client(session.shared_from_this(), input, false));
    {
        const Bell::Subscription on_room(end.ready, session.waker);
        const Bell::Subscription on_end(helper->changed, session.waker);
        while (!session.gone() && !helper->ended()) {
            if (co_await pass_input(session, *input))
                helper->moved();
            else
                co_await session.waker.pause();
        }
    }
    input->close();
    const std::string reason =
        helper->code() == 0 ? helper->message() : refusal_of(*container, *helper).text;
    const nlohmann::json outcome = {{"exit_code", helper->code()}, {"reason", reason}};
    std::string text = outcome.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    co_await session.send_frame(protocol::Frame::end, std::move(text));
    session.hang_up();
}

asio::awaitable<void> get_export(Call call) {
    const auto container = call.supervisor.find(call.name);
    const HelperPtr helper = call.supervisor.files().export_root(container);
    co_await send_output(call.session, *container, helper, "application/x-tar");
}

asio::awaitable<void> get_changes(Call call) {
    const auto container = call.supervisor.find(call.name);
    const HelperPtr helper = call.supervisor.files().changes(container);
    if (!helper) co_return co_await respond_json(call.session, 200, "[]");
    co_await send_output(call.session, *container, helper, "application/json");
}

}  // namespace mydocker::supervisor::api
