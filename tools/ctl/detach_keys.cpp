// See detach_keys.hpp.
#include "tools/ctl/detach_keys.hpp"

#include <algorithm>
#include <cctype>

#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

namespace {

constexpr char del = 0x7f;

char key_byte(std::string_view key, std::string_view whole) {
    constexpr std::string_view control = "ctrl-";
    constexpr std::string_view after_control = "@abcdefghijklmnopqrstuvwxyz[\\]^_";
    if (key.size() == 1 && static_cast<unsigned char>(key[0]) < 0x80) return key[0];
    if (key == "DEL") return del;
    if (key.size() == control.size() + 1 && key.starts_with(control)) {
        const int letter = std::tolower(static_cast<unsigned char>(key.back()));
        const std::size_t at = after_control.find(static_cast<char>(letter));
        if (at != std::string_view::npos) return static_cast<char>(at);
    }
    throw UsageError("--detach-keys: '" + std::string(key) + "' in '" + std::string(whole) +
                     "' is no key; write for example ctrl-p,ctrl-q or ctrl-],d");
}

}  // namespace

std::string parse_detach_keys(std::string_view text) {
    std::string bytes;
    for (std::string_view rest = text; !text.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        bytes += key_byte(rest.substr(0, comma), text);
        if (comma == rest.size()) break;
        rest.remove_prefix(comma + 1);
    }
    if (bytes.size() > most_detach_keys) throw UsageError("--detach-keys: more than 32 keys");
    return bytes;
}

std::string DetachKeys::pass(std::string_view typed) {
    if (sequence_.empty()) return std::string(typed);
    std::string passed;
    for (const char key : typed) {
        if (found_) break;
        held_ += key;
        // In `aab` for `ab` the first `a` is the workload's and the second may begin the sequence.
        while (!sequence_.starts_with(held_)) {
            passed += held_.front();
            held_.erase(0, 1);
        }
        found_ = held_.size() == sequence_.size();
    }
    return passed;
}

}  // namespace mydocker::ctl
