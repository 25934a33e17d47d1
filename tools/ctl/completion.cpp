// `completion SHELL`, whose script asks the hidden `__complete` with the words of the line; so what
// is offered is always what this program, and the daemon that runs, know.
#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/complete.hpp"
#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

namespace {

constexpr std::string_view bash_script = R"(# bash completion of mydocker-ctl:
#   source <(mydocker-ctl completion bash)
_mydocker_ctl() {
    local line current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]}
    [[ $current == = ]] && current=
    type -P "$program" >/dev/null || program=mydocker-ctl
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files)
                compopt -o filenames 2>/dev/null
                while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
                ;;
            :directories)
                compopt -o filenames 2>/dev/null
                while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$current")
                ;;
            *) COMPREPLY+=("${line%%$'\t'*}") ;;
        esac
    done < <("$program" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _mydocker_ctl mydocker-ctl
)";

constexpr std::string_view zsh_script = R"(#compdef mydocker-ctl
# zsh completion of mydocker-ctl: source <(mydocker-ctl completion zsh)
_mydocker_ctl() {
    local line text files
    local -a candidates
    for line in "${(@f)$("${(Q)words[1]}" __complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        case $line in
            ('') ;;
            (:files) files='_files' ;;
            (:directories) files='_files -/' ;;
            (*)
                text=${line%%$'\t'*}
                candidates+=("${text//:/\\:}:${line#*$'\t'}")
                ;;
        esac
    done
    (( $#candidates )) && _describe mydocker-ctl candidates
    [[ -n $files ]] && ${=files}
}
if [[ ${funcstack[1]} == _mydocker_ctl ]]; then
    _mydocker_ctl "$@"
else
    compdef _mydocker_ctl mydocker-ctl
fi
)";

constexpr std::string_view fish_script = R"(# fish completion of mydocker-ctl:
#   mydocker-ctl completion fish | source
function __mydocker_ctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':directories'
                __fish_complete_directories "$current"
            case '*'
                echo -- $line
        end
    end
end
complete -c mydocker-ctl -f -a '(__mydocker_ctl_complete)'
)";

int completion(const Context& context) {
    const std::string& shell = context.arguments.operands.front();
    for (const auto& [name, script] :
         {std::pair{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}}) {
        if (shell != name) continue;
        write_out(script);
        return 0;
    }
    throw UsageError("there is no completion for '" + shell + "', only for bash, zsh and fish");
}

// The running daemon's containers; none where it does not answer in time.
std::vector<Known> ask(const Client& client) {
    std::vector<Known> known;
    try {
        const Request request{"GET", "/v1/containers?all=1", {}};
        for (const Json& summary : client.call(request, std::chrono::seconds{1})) {
            known.push_back({text_of(summary, "name"), text_of(summary, "state")});
        }
    } catch (const std::exception&) {  // nothing to offer
    }
    return known;
}

// "TEXT\tHELP" a line, then ":files" or ":directories" where the shell shall complete such.
int complete_words(const Context& context) {
    const Completions found =
        complete(context.arguments.operands, all_commands(), [&](const std::string& socket) {
            return ask(socket.empty() ? context.client : Client(socket));
        });
    std::string text;
    for (const Candidate& candidate : found.candidates) {
        text += printable(candidate.text) + '\t' + printable(candidate.help) + '\n';
    }
    if (found.files == Completions::Files::files) text += ":files\n";
    if (found.files == Completions::Files::directories) text += ":directories\n";
    write_out(text);
    return 0;
}

}  // namespace

std::vector<Command> completion_commands() {
    return {{.group = "Supervisor",
             .name = "completion",
             .operands = "bash|zsh|fish",
             .summary = "print a script that teaches a shell our commands and containers",
             .perform = completion,
             .least_operands = 1,
             .most_operands = 1,
             .notes = "For example, in ~/.bashrc: source <(mydocker-ctl completion bash)\n"},
            {.group = {},
             .name = "__complete",
             .operands = "[WORD...]",
             .summary = "what a shell may put at the end of these words",
             .perform = complete_words,
             .most_operands = unlimited,
             .passes_rest = true}};
}

}  // namespace mydocker::ctl
