// The list of all commands, in the order of the help text, and how commands read their arguments.
#include "tools/ctl/command.hpp"

#include <algorithm>

namespace mydocker::ctl {

const std::vector<Command>& all_commands() {
    static const std::vector<Command> commands = [] {
        std::vector<Command> all;
        for (const auto group : {run_commands, attach_commands, container_commands, view_commands,
                                 stream_commands, stats_commands, watch_commands, manage_commands,
                                 file_commands, daemon_commands, completion_commands}) {
            for (Command& command : group()) all.push_back(std::move(command));
        }
        // Groups stay together in the help text, whichever files their commands stand in.
        std::stable_partition(all.begin(), all.end(),
                              [](const Command& command) { return command.group == "Containers"; });
        return all;
    }();
    return commands;
}

std::string Arguments::get(std::string_view key, std::string_view otherwise) const {
    const auto it = options.find(key);
    return it == options.end() || it->second.empty() ? std::string(otherwise) : it->second.back();
}

std::vector<std::string> Arguments::all(std::string_view key) const {
    const auto it = options.find(key);
    return it == options.end() ? std::vector<std::string>{} : it->second;
}

}  // namespace mydocker::ctl
