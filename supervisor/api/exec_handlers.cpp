// `exec`: a command inside a running container, with its streams over the connection that asked for
// it. The client sets the pace; when it goes, the command's terminal hangs up and its pipes close.
#include <signal.h>

#include <nlohmann/json.hpp>
#include <set>

#include "config/problem.hpp"
#include "supervisor/api/client_input.hpp"
#include "supervisor/api/handlers.hpp"
#include "supervisor/spawn.hpp"

namespace mydocker::supervisor::api {

using nlohmann::json;

namespace {

template <class T>
T value_of(const json& body, const char* key, T otherwise, const char* what) {
    const auto it = body.find(key);
    if (it == body.end() || it->is_null()) return otherwise;
    try {
        return it->get<T>();
    } catch (const json::exception&) {
        throw Refusal{"invalid", std::string("\"") + key + "\" must be " + what};
    }
}

ExecRequest request_of(const json& body) {
    static const std::set<std::string> known = {"command", "environment", "user",   "working_dir",
                                                "tty",     "stdin",       "detach", "privileged",
                                                "rows",    "cols"};
    if (!body.is_object()) throw Refusal{"invalid", "the body must be a JSON object"};
    for (const auto& [key, value] : body.items())
        if (!known.contains(key)) throw Refusal{"invalid", "unknown key \"" + key + "\""};
    constexpr auto flag = "true or false";
    ExecRequest request;
    request.command =
        value_of(body, "command", std::vector<std::string>{}, "a list of at least one string");
    request.environment =
        value_of(body, "environment", std::map<std::string, std::string>{}, "an object of strings");
    request.user = value_of(body, "user", std::string{}, "a string");
    request.working_dir = value_of(body, "working_dir", std::string{}, "a string");
    request.terminal = value_of(body, "tty", false, flag);
    request.open_stdin = value_of(body, "stdin", false, flag);
    request.detached = value_of(body, "detach", false, flag);
    request.privileged = value_of(body, "privileged", false, flag);
    request.size = {value_of<std::uint16_t>(body, "rows", 0, "a number"),
                    value_of<std::uint16_t>(body, "cols", 0, "a number")};
    if (request.command.empty() || request.command.front().empty())
        throw Refusal{"invalid", "\"command\" must be a list of at least one string"};
    if (!request.working_dir.empty() && request.working_dir.front() != '/')
        throw Refusal{"invalid", "\"working_dir\" must begin with a slash"};
    const auto has_nul = [](const std::string& text) {
        return text.find('\0') != std::string::npos;
    };
    bool nul = has_nul(request.user) || has_nul(request.working_dir);
    for (const std::string& word : request.command) nul |= has_nul(word);
    for (const auto& [key, value] : request.environment) {
        nul |= has_nul(key) || has_nul(value);
        if (key.empty() || key.find('=') != std::string::npos)
            throw Refusal{"invalid", "\"" + key + "\" is no name of an environment variable"};
    }
    if (nul) throw Refusal{"invalid", "a string holds a NUL byte, which no process can be given"};
    if (request.detached && (request.terminal || request.open_stdin))
        throw Refusal{"invalid", "a detached command has neither a terminal nor stdin"};
    return request;
}

using ExecPtr = std::shared_ptr<ExecSession>;

// Ends a command whose client has gone, or that never came to its execve(2) in time.
void end(ExecSession& exec) {
    exec.signal(SIGKILL);
    exec.abandon();
}

// Whatever becomes of the request: nobody will ask for the command's end again.
struct Telling {
    ExecPtr exec;
    explicit Telling(ExecPtr session) : exec(std::move(session)) {}
    ~Telling() { exec->told(); }
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
};

asio::awaitable<void> await_execution(Session& session, const Container& container,
                                      const ExecPtr& exec) {
    session.watch_peer();
    const Bell::Subscription listening(exec->changed, session.waker);
    const Time deadline = Clock::now() + container.config().start_timeout;
    while (!exec->executed() && !exec->ended()) {
        const bool late = Clock::now() >= deadline;
        if (session.gone() || late) end(*exec);
        if (late)
            throw Refusal{"failed", container.name() + ": the command was not executed in time"};
        if (session.gone()) co_return;
        co_await session.waker.pause(deadline);
    }
    if (!exec->executed())
        throw Refusal{"failed", container.name() + ": " + exec->error(), {}, exec->exit_code()};
}

asio::awaitable<void> pass_on(Session& session, const ExecPtr& exec, ClientInput& input) {
    constexpr std::array streams{protocol::Frame::output, protocol::Frame::error};
    constexpr std::size_t piece = 64UL << 10;
    while (!session.gone()) {
        // Asked before reading: what was written until then is read below. What a background
        // process of the command writes later has nobody to go to.
        const bool ended = exec->ended();
        co_await pass_input(session, input);
        bool read_some = false;
        for (std::size_t i = 0; i < streams.size(); ++i) {
            std::string bytes = exec->outputs[i].read(piece);
            if (bytes.empty()) continue;
            read_some = true;
            co_await session.send_frame(streams[i], std::move(bytes));
        }
        if (read_some) continue;
        if (ended) break;
        for (OutputEnd& output : exec->outputs) output.watch();
        co_await session.waker.pause();
    }
}

// From the upgrade of the connection to the command's end, or the client's going.
asio::awaitable<void> serve_exec(Call call, ExecPtr exec) {
    Session& session = call.session;
    exec->has_client(true);
    const auto input =
        std::make_shared<ClientInput>(exec->request().open_stdin ? &exec->input : nullptr,
                                      &exec->input, [weak = std::weak_ptr(exec)](int signal) {
                                          if (const auto living = weak.lock())
                                              living->signal(signal);
                                      });
    co_await session.upgrade();
    co_await session.send_frame(protocol::Frame::session, exec->id());
    spawn(call.supervisor.services().executor, "the input of an exec session",
          read_client(session.shared_from_this(), input, true));
    {
        const Bell::Subscription on_change(exec->changed, session.waker);
        const Bell::Subscription on_room(exec->input.ready, session.waker);
        const Bell::Subscription on_output(exec->outputs[0].ready, session.waker);
        const Bell::Subscription on_error(exec->outputs[1].ready, session.waker);
        co_await pass_on(session, exec, *input);
    }
    input->close();
    exec->abandon();
    if (!session.gone()) {
        const json end = {{"exit_code", exec->exit_code()}, {"reason", exec->error()}};
        co_await session.send_frame(protocol::Frame::end, end.dump());
    }
    session.hang_up();
}

// After mydockerd was replaced: the same command, which has waited for its client.
ExecPtr waiting_session(const Container& container, const std::string& id) {
    auto exec = container.find_exec(id);
    if (!exec || exec->has_client())
        throw Refusal{exec ? "conflict" : "not_found",
                      container.name() + (exec ? ": the client of session " + id + " is here"
                                               : " has no session " + id +
                                                     " that waits for a client: its command has "
                                                     "ended, or waited for too long")};
    return exec;
}

}  // namespace

asio::awaitable<void> exec_in_container(Call call) {
    const auto container = call.supervisor.find(call.name);
    Session& session = call.session;
    if (const std::string id = call.request.get("session"); !id.empty()) {
        require_upgrade(call.request);
        const Telling telling(waiting_session(*container, id));
        co_return co_await serve_exec(call, telling.exec);
    }
    const ExecRequest request = request_of(json_of(call.request.body));
    if (!request.detached) require_upgrade(call.request);
    ExecPtr exec;
    try {
        exec = container->exec(request);
    } catch (const std::system_error& error) {
        const bool conflict = error.code().value() == ESRCH || error.code().value() == EAGAIN;
        throw Refusal{conflict ? "conflict" : "failed", error.what()};
    }
    const Telling telling(exec);
    co_await await_execution(session, *container, exec);
    if (request.detached) {
        const json begun = {{"id", exec->id()}, {"pid", exec->pid()}};
        co_return co_await respond_json(session, 200, begun.dump());
    }
    co_await serve_exec(call, exec);
}

}  // namespace mydocker::supervisor::api
