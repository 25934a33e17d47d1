// `attach` and `exec`: at the terminal or the pipes of what runs already.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/attach_options.hpp"
#include "tools/ctl/attachment.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/raw_terminal.hpp"
#include "tools/ctl/run_options.hpp"
#include "tools/ctl/signal_proxy.hpp"

namespace mydocker::ctl {

namespace {

// The exit code of a refusal must not look like the workload's own: 126, 127 or else 125.
template <class Action>
int with_daemon_exit_code(Action action) {
    try {
        return action();
    } catch (const Refused& refused) {
        const int code = refused.exit_code();
        const bool workload =
            code == protocol::exit_cannot_execute || code == protocol::exit_not_found;
        throw Refused(refused.what(), workload ? code : protocol::exit_daemon, refused.status(),
                      refused.problems());
    }
}

// Our end of the stream that this request asks for.
StreamClient open_stream(const Client& client, Request request) {
    request.upgrade = true;
    Exchange exchange = client.open(request);
    exchange.finish();
    return StreamClient(exchange);
}

int attach_to(const Context& context) {
    const Client& client = context.client;
    const std::string& name = context.arguments.operands.front();
    Attachment attachment{.name = name, .detach_keys = detach_keys_of(context.arguments)};
    attachment.left = "detached from " + name + "; it goes on";
    if (proxies_signals(context.arguments)) {
        attachment.proxy = [&](StreamClient&, const std::string& signal) {
            forward_signal(client, name, signal);
        };
    }
    const Json inspected = client.call({"GET", container_path(name), {}});
    const Json config = inspected.value("config", Json::object());
    attachment.terminal = attachment.redraw = config.value("tty", false);
    attachment.input = config.value("stdin_open", false) && !context.arguments.has("no-stdin");
    if (attachment.terminal && attachment.input) require_terminal();
    SignalInbox signals;  // before the size is asked for: no change of it is lost
    const AttachQuery query{.input = attachment.input, .terminal = attachment.terminal};
    // By its id: the name may be another's by then.
    const std::string id = text_of(inspected, "id");
    attachment.resume = resumption(client, id.empty() ? name : id, query);
    StreamClient stream = open_stream(
        client, {.method = "POST", .target = attach_path(name, query), .harmless = true});
    return stay_attached(stream, signals, attachment);
}

int attach(const Context& context) {
    return with_daemon_exit_code([&] { return attach_to(context); });
}

Json exec_request(const Arguments& arguments) {
    const std::vector<std::string>& words = arguments.operands;
    Json request = {{"command", std::vector<std::string>(words.begin() + 1, words.end())},
                    {"environment", environment_of(arguments, real_surroundings())},
                    {"tty", arguments.has("tty")},
                    {"stdin", arguments.has("interactive")},
                    {"privileged", arguments.has("privileged")},
                    {"detach", arguments.has("detach")}};
    if (arguments.has("user")) request["user"] = arguments.get("user");
    if (arguments.has("workdir")) request["working_dir"] = arguments.get("workdir");
    return request;
}

int exec_in(const Context& context) {
    const Arguments& arguments = context.arguments;
    const std::string& name = arguments.operands.front();
    Json request = exec_request(arguments);
    if (arguments.has("detach")) {
        const Json answer =
            context.client.call({"POST", container_path(name, "exec"), compact(request)});
        if (!context.output.quiet) write_out(text_of(answer, "id") + '\n');
        return 0;
    }
    Attachment attachment{.name = name,
                          .input = arguments.has("interactive"),
                          .terminal = arguments.has("tty"),
                          .detach_keys = detach_keys_of(arguments)};
    attachment.left = "left " + name + "; the command's terminal hangs up";
    attachment.lost = "the command may still run. See 'mydocker-ctl top " + name + "'.";
    attachment.proxy = [](StreamClient& stream, const std::string& signal) {
        stream.writer().control(protocol::Frame::signal, signal);
    };
    attachment.resume_session = [&](const std::string& session) {
        return context.client.open({.method = "POST",
                                    .target = container_path(name, "exec") + "?session=" + session,
                                    .upgrade = true},
                                   {}, at_once);
    };
    if (attachment.terminal && attachment.input) require_terminal();
    SignalInbox signals;
    if (const auto size = attachment.terminal ? window_size() : std::nullopt) {
        request["rows"] = size->rows;
        request["cols"] = size->columns;
    }
    StreamClient stream =
        open_stream(context.client, {"POST", container_path(name, "exec"), compact(request)});
    return stay_attached(stream, signals, attachment);
}

int exec(const Context& context) {
    return with_daemon_exit_code([&] { return exec_in(context); });
}

}  // namespace

std::vector<Command> attach_commands() {
    return {{.group = "Containers",
             .name = "attach",
             .operands = "NAME",
             .summary = "be at the terminal, or the output and input, of a running container",
             .perform = attach,
             .options = {{"--no-stdin", "", "only see what it writes"},
                         detach_keys_option(),
                         sig_proxy_option()},
             .least_operands = 1,
             .most_operands = 1,
             .notes = "A container has an input if it was made with -i, a terminal with -t. The "
                      "end of what is\npiped in becomes the end of its input.\n"},
            {.group = "Containers",
             .name = "exec",
             .operands = "NAME COMMAND [ARG...]",
             .summary = "run one more command in a running container",
             .perform = exec,
             .options = {{"-d,--detach", "", "print the session's id and leave it running"},
                         {"-i,--interactive", "", "standard input goes to it"},
                         {"-t,--tty", "", "give it a terminal"},
                         {"-e,--env", "K[=V]", "environment variable; without =V the client's own",
                          true},
                         {"--env-file", "FILE", "environment variables, one K=V a line", true},
                         {"-u,--user", "USER[:GROUP]", "user, by name or number"},
                         {"-w,--workdir", "DIR", "working directory"},
                         {"--privileged", "", "with all capabilities"},
                         detach_keys_option()},
             .least_operands = 2,
             .most_operands = unlimited,
             .can_be_quiet = true,
             .passes_rest = true,
             .notes = "The options end at NAME: what follows COMMAND is the command's, "
                      "untouched.\n"}};
}

}  // namespace mydocker::ctl
