// Times and spans in the words of the command line: RFC 3339 in and out, "5 seconds", "1m30s".
// `now` is always an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mydocker::ctl {

using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

// "2026-01-31T12:00:00.123456789Z", "…+01:00"; a fraction of any length is optional.
std::optional<Time> parse_rfc3339(std::string_view text);
std::string format_rfc3339(Time time);

// A point in time as `--since` takes it: RFC 3339, or a duration back from now ("10m").
std::optional<Time> parse_since(std::string_view text, Time now);

// "2026-01-31 12:00:00" in the user's time zone; "-" for an empty or unreadable text.
std::string local_time(std::string_view rfc3339);

// As docker says it: "Less than a second", "5 seconds", "About a minute", "3 hours", "2 weeks".
std::string rough_span(std::chrono::nanoseconds span);
// "2 minutes ago"; "" for an unreadable text.
std::string ago(std::string_view rfc3339, Time now);

// "400ms", "2.1s", "1m30s": two significant units at most.
std::string short_span(std::int64_t milliseconds);

}  // namespace mydocker::ctl
