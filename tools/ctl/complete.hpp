// What a shell may put at the cursor of a command line of ours. The words are looked up in the
// command table itself, names of containers are asked for by way of a function; nothing is printed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/ctl/command.hpp"

namespace mydocker::ctl {

struct Candidate {
    std::string text;
    std::string help;  // a few words; may be empty
};

struct Completions {
    std::vector<Candidate> candidates;
    // What only the shell can complete, besides.
    enum class Files : std::uint8_t { none, files, directories } files = Files::none;
};

// A running container's name and state; asked at most once, of the daemon behind this socket
// ("": the usual one).
struct Known {
    std::string name;
    std::string state;
};
using Ask = std::function<std::vector<Known>(const std::string& socket)>;

// `words`: those after the program's name, the last one (perhaps "") being the one to complete.
// bash's way of cutting `--format=json` into three words is understood as well.
Completions complete(std::vector<std::string> words, const std::vector<Command>& commands,
                     const Ask& ask);

}  // namespace mydocker::ctl
