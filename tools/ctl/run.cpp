// `run` and `create`. In the foreground, `run` attaches before it starts the container, so that
// nothing of a short-lived one is missed.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/attach_options.hpp"
#include "tools/ctl/attachment.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/run_options.hpp"
#include "tools/ctl/signal_proxy.hpp"

namespace mydocker::ctl {

namespace {

struct Created {
    std::string id;
    std::string name;
};

// Refuses to overwrite: the file may name another container that still runs.
UniqueFd open_id_file(const std::string& path) {
    if (path.empty()) return UniqueFd();
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (file.get() < 0) {
        throw Failure("--cidfile: cannot create " + path + ": " + std::strerror(errno),
                      protocol::exit_daemon);
    }
    return file;
}

Created create(const Context& context) {
    const Arguments& arguments = context.arguments;
    const Json request = create_request(arguments, real_surroundings());
    const std::string id_path = arguments.get("cidfile");
    const UniqueFd id_file = open_id_file(id_path);
    Json answer;
    try {
        const std::string body = compact(request);
        if (body.size() > protocol::max_body_bytes) {
            throw Failure("the container's description is longer than 4 MiB",
                          protocol::exit_daemon);
        }
        answer = context.client.call({"POST", "/v1/containers", body});
    } catch (const Refused& refused) {
        if (!id_path.empty()) ::unlink(id_path.c_str());
        // Nothing exists yet, so every refusal is the daemon's or the command line's: 125.
        throw Refused(refused.what(), protocol::exit_daemon, refused.status(), refused.problems());
    } catch (const Failure&) {
        if (!id_path.empty()) ::unlink(id_path.c_str());
        throw;
    }
    Created created{text_of(answer, "id"), text_of(answer, "name")};
    if (id_file.get() >= 0 && ::write(id_file.get(), created.id.data(), created.id.size()) !=
                                  static_cast<ssize_t>(created.id.size())) {
        throw Failure("--cidfile: cannot write " + id_path, protocol::exit_daemon);
    }
    if (!context.output.quiet && answer.contains("warnings")) {
        for (const Json& warning : answer["warnings"]) {
            write_error(
                "mydocker-ctl: warning: " +
                printable(warning.is_string() ? warning.get<std::string>() : compact(warning)) +
                '\n');
        }
    }
    return created;
}

// What start's refusal means for our exit code: 126 or 127 where the daemon says so, else 125.
Refused start_refusal(const Refused& refused) {
    const int code = refused.exit_code();
    const bool workload = code == protocol::exit_cannot_execute || code == protocol::exit_not_found;
    return Refused(refused.what(), workload ? code : protocol::exit_daemon, refused.status(),
                   refused.problems());
}

// A container that never ran is of no use to anybody who asked for --rm.
void remove_quietly(const Client& client, const std::string& id) {
    try {
        client.call({"DELETE", container_path(id) + "?force=1", {}});
    } catch (const Failure&) {  // the daemon may have removed it already
    }
}

// One stream from before its start to its rest, so that nothing of a short-lived one is missed.
int run_in_foreground(const Context& context, const Created& created) {
    const Client& client = context.client;
    const Arguments& arguments = context.arguments;
    Attachment attachment{.name = created.name,
                          .input = arguments.has("interactive"),
                          .terminal = arguments.has("tty"),
                          .detach_keys = detach_keys_of(arguments),
                          .left = "detached from " + created.name + "; it goes on"};
    if (proxies_signals(arguments)) {
        attachment.proxy = [&](StreamClient&, const std::string& signal) {
            forward_signal(client, created.id, signal);
        };
    }
    SignalInbox signals;  // before the size is asked for: no change of it is lost
    const AttachQuery query{.input = attachment.input,
                            .terminal = attachment.terminal,
                            .await = true,
                            .once = attachment.input && !attachment.terminal};
    attachment.resume = resumption(client, created.id, query);
    attachment.silent = context.output.quiet;
    Exchange upgrade = client.open({.method = "POST",
                                    .target = attach_path(created.id, query),
                                    .upgrade = true,
                                    .harmless = true});
    upgrade.finish();
    StreamClient stream(upgrade);
    Exchange start = client.open({"POST", container_path(created.id, "start"), {}});
    attachment.start = &start;
    return stay_attached(stream, signals, attachment);
}

// What is wrong before anything was made.
void check(const Arguments& arguments) {
    if (!arguments.has("detach")) {
        detach_keys_of(arguments);
        proxies_signals(arguments);
        if (arguments.has("tty") && arguments.has("interactive")) require_terminal();
        return;
    }
    for (const char* option : {"detach-keys", "sig-proxy"}) {
        if (arguments.has(option)) {
            throw UsageError(std::string("--") + option + " means nothing with --detach");
        }
    }
}

int run(const Context& context) {
    const bool detached = context.arguments.has("detach");
    check(context.arguments);
    const Created created = create(context);
    try {
        if (!detached) return run_in_foreground(context, created);
        Exchange start = context.client.open({"POST", container_path(created.id, "start"), {}});
        start.finish();
        start.answer();
    } catch (const Refused& refused) {
        if (context.arguments.has("rm")) remove_quietly(context.client, created.id);
        throw start_refusal(refused);
    } catch (const ReaderGone&) {
        write_error("mydocker-ctl: nobody reads the output any more; " + created.name +
                    " goes on (mydocker-ctl stop " + created.name + ")\n");
        throw;
    }
    write_out(created.id + '\n');
    return 0;
}

int create_only(const Context& context) {
    write_out(create(context).id + '\n');
    return 0;
}

constexpr std::string_view notes =
    "The options end at COMMAND: what follows it is the workload's, untouched. There are no "
    "images\n"
    "yet: COMMAND is always a command, looked up in the container's PATH unless it has a slash.\n"
    "The book's spellings -mem, -cpu, -cpuset and -cpushare mean --memory, --cpus, --cpuset-cpus\n"
    "and --cpu-shares.\n";

}  // namespace

std::vector<Command> run_commands() {
    std::vector<Option> create_options = {
        {"--name", "NAME", "the container's name (default: one is made up)"},
        {"--rm", "", "remove it once it has ended"},
        {"--cidfile", "FILE", "write the container's id to a new file"},
    };
    for (const Option& option : container_options()) create_options.push_back(option);
    std::vector<Option> run_options = create_options;
    run_options.insert(run_options.begin(),
                       {{"-d,--detach", "", "print the id and leave it running"},
                        detach_keys_option(),
                        sig_proxy_option()});
    return {{.group = "Containers",
             .name = "run",
             .operands = "COMMAND [ARG...]",
             .summary = "make a container and run a command in it",
             .perform = run,
             .options = run_options,
             .least_operands = 1,
             .most_operands = unlimited,
             .can_be_quiet = true,
             .passes_rest = true,
             .notes = notes},
            {.group = "Containers",
             .name = "create",
             .operands = "COMMAND [ARG...]",
             .summary = "make a container without starting it",
             .perform = create_only,
             .options = create_options,
             .least_operands = 1,
             .most_operands = unlimited,
             .can_be_quiet = true,
             .passes_rest = true,
             .notes = notes}};
}

}  // namespace mydocker::ctl
