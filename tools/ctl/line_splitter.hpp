// Cuts a byte stream into lines of bounded length.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

class LineSplitter {
public:
    explicit LineSplitter(std::function<void(const std::string&)> on_line)
        : on_line_(std::move(on_line)) {}

    // Throws Failure for a line over 1 MiB. Empty lines are skipped.
    void feed(std::string_view bytes) {
        while (!bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            line_.append(bytes.substr(0, end));
            if (line_.size() > longest) {
                throw Failure("mydockerd sent a line over 1 MiB", protocol::exit_daemon);
            }
            if (end == std::string_view::npos) return;
            if (!line_.empty()) on_line_(line_);
            line_.clear();
            bytes.remove_prefix(end + 1);
        }
    }

    // For another stream: what has come of a line is not its beginning.
    void forget() { line_.clear(); }

private:
    static constexpr std::size_t longest = 1UL * 1024 * 1024;
    std::function<void(const std::string&)> on_line_;
    std::string line_;
};

}  // namespace mydocker::ctl
