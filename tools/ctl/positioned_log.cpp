// See positioned_log.hpp.
#include "tools/ctl/positioned_log.hpp"

#include <charconv>
#include <utility>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

namespace {

constexpr std::size_t longest = 1024;  // of a position's line

// Takes a number and what must stand behind it off the front; false where they do not stand there.
bool take_number(std::string_view& text, std::uint64_t& number, char behind) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || (length < text.size() && text[length] != behind)) return false;
    text.remove_prefix(std::min(length + 1, text.size()));
    return true;
}

}  // namespace

void PositionedLog::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const bool may_begin = begins_ || !mid_record_;
        if (position_.empty() && !(may_begin && bytes.front() == '@')) {
            const std::size_t last = bytes.find("\n@");  // before the next position
            const std::size_t size = last == std::string_view::npos ? bytes.size() : last + 1;
            const std::string_view text = bytes.substr(0, size);
            begins_ = false;
            mid_record_ = text.back() != '\n';
            byte_ += text.size();
            on_text_(text);
            bytes.remove_prefix(size);
            continue;
        }
        const std::size_t newline = bytes.find('\n');
        position_ += bytes.substr(0, newline);
        if (position_.size() > longest)
            throw Failure("mydockerd sent a position in the log that is none",
                          protocol::exit_daemon);
        if (newline == std::string_view::npos) return;
        bytes.remove_prefix(newline + 1);
        take_position();
    }
}

void PositionedLog::take_position() {
    const std::string line = std::exchange(position_, {});
    std::string_view rest = std::string_view(line).substr(1);
    std::uint64_t file = 0;
    std::uint64_t byte = 0;
    if (!take_number(rest, file, ':') || !take_number(rest, byte, ' ') ||
        !take_number(rest, attempt_, ' ') || file == 0)
        throw Failure("mydockerd sent a position in the log that is none", protocol::exit_daemon);
    // The rest of a record that was cut may be lost: then the next one must not continue it.
    const bool goes_on = file == file_ && byte == byte_;
    if (mid_record_ && !goes_on) {
        on_text_("\n");
        mid_record_ = false;
    }
    file_ = file;
    byte_ = byte;
    begins_ = false;
    if (!rest.empty()) on_text_(std::string(rest) + '\n');
}

void PositionedLog::restart() {
    begins_ = true;
    position_.clear();
}

}  // namespace mydocker::ctl
