// The keys that leave a terminal without ending what runs in it: their spelling, which is Docker's
// ("ctrl-p,ctrl-q"), and finding them in what is typed. Bytes only; nothing here reads a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mydocker::ctl {

inline constexpr std::string_view default_detach_keys = "ctrl-p,ctrl-q";
inline constexpr std::size_t most_detach_keys = 32;

// Keys with commas between them, each a character, `ctrl-` and one of a-z @ [ \ ] ^ _, or DEL; no
// keys at all: nothing detaches. The bytes a terminal sends for them; UsageError for anything else.
std::string parse_detach_keys(std::string_view text);

class DetachKeys {
public:
    explicit DetachKeys(std::string sequence) : sequence_(std::move(sequence)) {}

    // What of `typed` (and of what was held back before) is the workload's. The beginning of the
    // sequence is held back until it turns out not to be one. What follows the sequence is dropped.
    std::string pass(std::string_view typed);
    bool found() const { return found_; }

private:
    std::string sequence_;
    std::string held_;  // shorter than sequence_, and its beginning
    bool found_ = false;
};

}  // namespace mydocker::ctl
