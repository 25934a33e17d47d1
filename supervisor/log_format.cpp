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
    const std::string_view name = stream == Stream::out ? " stdout " : " stderr ";
    while (!chunk.empty()) {
        const std::size_t newline = chunk.find('\n');
        const bool full = newline != std::string_view::npos;
        const std::string_view text = chunk.substr(0, newline);
        out += time;
        out += name;
        out += full ? "F " : "P ";
        out += text;
        out += '\n';
        chunk.remove_prefix(text.size() + (full ? 1 : 0));
    }
}

}  // namespace mydocker::supervisor
