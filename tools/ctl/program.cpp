// See program.hpp.
#include "tools/ctl/program.hpp"

#include <csignal>
#include <cstdlib>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/parse.hpp"

namespace mydocker::ctl {

namespace {

std::string socket_path(const Arguments& arguments) {
    std::string path(protocol::default_socket);
    if (const char* variable = std::getenv("MYDOCKER_HOST"); variable && *variable) {
        path = variable;
    }
    if (arguments.has("host")) path = arguments.get("host");
    if (path.starts_with("unix://")) path.erase(0, 7);
    if (path.find("://") != std::string::npos) {
        throw UsageError("--host: '" + path + "' is no Unix socket; mydockerd has no other");
    }
    return path;
}

// One line for the error and, where there is one, a line that says where to look.
void report(const std::string& error, const std::string& hint = {}) {
    try {
        write_error("mydocker-ctl: " + printable(error) + '\n' + (hint.empty() ? "" : hint + '\n'));
    } catch (const std::exception&) {  // nobody is left to tell
    }
}

int run_command(const std::vector<std::string>& words) {
    const Parsed parsed = parse_command_line(words, all_commands());
    if (!parsed.help.empty()) {
        write_out(parsed.help);
        return 0;
    }
    if (parsed.version) {
        write_out("mydocker-ctl " MYDOCKER_VERSION "\n");
        return 0;
    }
    const Arguments& arguments = parsed.arguments;
    const Command& command = *parsed.command;
    // A global option that a command could only ignore is an error, not a silence.
    for (const auto& [option, applies] :
         {std::pair{"format", command.shows_records}, std::pair{"no-trunc", command.shows_records},
          std::pair{"quiet", command.can_be_quiet}}) {
        if (!applies && arguments.has(option)) {
            throw CommandUsageError(std::string("--") + option + " means nothing here",
                                    command.name);
        }
    }
    Context context{arguments, Client(socket_path(arguments)), {}};
    context.output.format = arguments.get("format");
    context.output.quiet = arguments.has("quiet");
    context.output.no_trunc = arguments.has("no-trunc");
    context.output.terminal = look_at_terminal();
    if (context.output.no_trunc) context.output.terminal.width = 0;
    context.output.now = std::chrono::system_clock::now();
    try {
        return command.perform(context);
    } catch (const UsageError& error) {
        throw CommandUsageError(error.what(), command.name);
    }
}

}  // namespace

int run_program(const std::vector<std::string>& words) {
    std::signal(SIGPIPE, SIG_IGN);  // `logs | head`: write() says EPIPE, ReaderGone ends us
    try {
        return run_command(words);
    } catch (const ReaderGone&) {
        return 0;
    } catch (const CommandUsageError& error) {
        report(error.command() + ": " + error.what(),
               "See 'mydocker-ctl " + error.command() + " --help'.");
    } catch (const UsageError& error) {
        report(error.what(), "See 'mydocker-ctl --help'.");
    } catch (const Refused& error) {
        std::string problems;
        for (const std::string& problem : error.problems()) {
            problems += (problems.empty() ? "  " : "\n  ") + printable(problem);
        }
        report(error.what(), problems);
        return error.exit_code();
    } catch (const Failure& error) {
        report(error.what());
        return error.exit_code();
    } catch (const std::exception& error) {
        report(error.what());
    }
    return protocol::exit_daemon;
}

}  // namespace mydocker::ctl
