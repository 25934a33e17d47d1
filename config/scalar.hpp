// Sizes, durations, signals, cpu sets and names in the spellings that users of Docker, Compose and
// systemd know. Pure functions: nullopt means "not one of these"; the caller says where it stood.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/host.hpp"

namespace mydocker::config {

// "50m", "1.5g", "512", "64KiB", "10MB", "10 MB": powers of 1024, as Docker reads them; b, k, m, g,
// t, p. A fraction of a byte is cut off. Not more than the kernel's 2^63 - 1.
std::optional<Bytes> parse_size(std::string_view text);

// "100ms", "1m30s", "2h", "1.5s", "500us", "1d", "5min 30sec": largest unit first, each once. A
// unit is required, except for "0". A fraction of a microsecond is cut off.
std::optional<Duration> parse_duration(std::string_view text);

// "SIGTERM", "term", "15" -> 15; "SIGRTMIN+3" -> 37. Linux numbers (x86, arm), signal(7). 32 and 33
// belong to the C library and are not accepted.
std::optional<int> parse_signal(std::string_view text);
std::string signal_name(int number);  // "SIGTERM"; "SIGRTMIN+3"; "signal 99" where there is none

// Kernel list format (cpuset(7)): "0-3,7". The canonical text: sorted, merged, no spaces. Numbers
// up to 8191, the most cpus a kernel can be built for.
std::optional<std::string> parse_cpuset(std::string_view text);

// [a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}
bool valid_name(std::string_view text);

// "CAP_NET_ADMIN", "net_admin" -> "NET_ADMIN"; "all" -> "ALL"; only names of capabilities(7).
std::optional<std::string> parse_capability(std::string_view text);

// A command line cut into words as a shell would: blanks separate; '…', "…" and \ quote; nothing is
// expanded. nullopt: a quote is not closed, or a backslash ends the text.
std::optional<std::vector<std::string>> split_words(std::string_view text);

// For people, rounded to two decimals: "50MiB", "1.5GiB", "512B".
std::string format_size(Bytes bytes);

// For parse_size, which gives back the very number: "50m", "512", "1025".
std::string exact_size(Bytes bytes);

// "100ms", "1m30s", "1h0.25s", "0s": always what parse_duration gives back exactly.
std::string format_duration(Duration duration);

}  // namespace mydocker::config
