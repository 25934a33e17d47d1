// One record of a container's log: the CRI format, `TIME STREAM FLAG TEXT\n` with TIME in UTC to
// the nanosecond. FLAG is F for a line that the workload ended, P for a part of one. It is cheap to
// write, holds any byte but a newline as it is, and log shippers read it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace mydocker::supervisor {

// "2026-01-31T12:00:00.123456789Z": 30 characters, so records compare and are cut by position.
std::string format_time(std::chrono::system_clock::time_point time);

inline constexpr std::size_t log_time_size = 30;
inline constexpr std::size_t log_flag_offset =
    log_time_size + 1 + 6 + 1;  // stdout and stderr are 6 long
inline constexpr std::size_t log_prefix_size = log_flag_offset + 2;

enum class Stream : unsigned char { out, err };

// Appends a chunk as records, all with one time. A tail without a newline becomes a P record.
void format_records(std::string& out, std::string_view chunk, Stream stream, std::string_view time);

// The flag of the record that begins at `record`; '\0' when it is too short to have one.
inline char record_flag(std::string_view record) {
    return record.size() > log_flag_offset ? record[log_flag_offset] : '\0';
}

}  // namespace mydocker::supervisor
