// Times as requests give them. Records and events are told with their time in UTC to the
// nanosecond, so that a time is compared as text.
#pragma once

#include <optional>
#include <string>

#include "supervisor/api/http.hpp"
#include "supervisor/attempt.hpp"

namespace mydocker::supervisor::api {

// A parameter such as since=2026-01-31T12:00:00Z, with or without a fraction, as format_time()
// writes it; "" where it is not given. Throws Refusal.
std::string time_of(const Request& request, const std::string& key);

// What format_time() wrote, as a time.
WallTime parse_time(const std::string& text);

// A parameter that is a whole number. Throws Refusal.
std::optional<std::uint64_t> number_of(const Request& request, const std::string& key);

}  // namespace mydocker::supervisor::api
