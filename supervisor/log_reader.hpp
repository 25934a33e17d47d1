// Finds where in a container's log a reader begins, and reads from there. Files are looked at in
// pieces, with a turn of the loop between them, so that a large log delays nobody.
#pragma once

#include <asio/awaitable.hpp>
#include <optional>
#include <string>

#include "runtime/unique_fd.hpp"
#include "supervisor/log_files.hpp"

namespace mydocker::supervisor {

// The first of the last `lines` lines before `end`; a line without its newline counts too.
asio::awaitable<LogPosition> find_tail(const LogFiles& files, std::uint64_t lines, LogPosition end);

// The first record at or after `time`, written as log_format.hpp's format_time() does.
asio::awaitable<LogPosition> find_since(const LogFiles& files, std::string time);

// Reads on from a position, across rotation. Holds the file that it is in: it can be deleted
// meanwhile.
class LogReader {
public:
    LogReader(const LogFiles& files, LogPosition from) : files_(files), at_(from) {}

    // The next piece of at most 128 KiB, not beyond `end`; "" when there is nothing more for now.
    // When whole files were rotated away before they were read, skipped() counts them.
    std::string next(const std::optional<LogPosition>& end = std::nullopt);
    std::uint64_t skipped() const { return skipped_; }
    const LogPosition& position() const { return at_; }

private:
    const LogFiles& files_;
    LogPosition at_;
    runtime::UniqueFd fd_;
    std::uint64_t skipped_ = 0;
};

// While it lives, what the reader has not read yet outlives its rotation, within a bound
// (LogFiles::most_held). For clients who are attached: a pipeline behind `run` loses nothing.
class LogHold {
public:
    LogHold(LogFiles& files, const LogReader& reader) : files_(files), at_(reader.position()) {
        files_.hold(&at_);
    }
    ~LogHold() { files_.let_go(&at_); }
    LogHold(const LogHold&) = delete;
    LogHold& operator=(const LogHold&) = delete;

private:
    LogFiles& files_;
    const LogPosition& at_;
};

}  // namespace mydocker::supervisor
