// See log_format.hpp.
#include "supervisor/log_format.hpp"

#include <cstdio>
#include <ctime>

namespace mydocker::supervisor {

std::string format_time(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    const auto since = duration_cast<nanoseconds>(time.time_since_epoch()).count();
    const std::time_t seconds = static_cast<std::time_t>(since / 1'000'000'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<long>(since % 1'000'000'000));
    return text;
}

void format_records(std::string& out, std::string_view chunk, Stream stream,
                    std::string_view time) {
    std::string prefix(time);
    prefix += stream == Stream::out ? " stdout F " : " stderr F ";
    // Two copies a line: this is the way of everything that is ever logged.
    while (!chunk.empty()) {
        const std::size_t newline = chunk.find('\n');
        if (newline == std::string_view::npos) break;
        out.append(prefix).append(chunk.data(), newline + 1);
        chunk.remove_prefix(newline + 1);
    }
    if (chunk.empty()) return;
    prefix[prefix.size() - 2] = 'P';
    out.append(prefix).append(chunk).append(1, '\n');
}

}  // namespace mydocker::supervisor
