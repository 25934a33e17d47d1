// Calendar arithmetic by <chrono>; no locale, no strptime.
#include "tools/ctl/times.hpp"

#include <array>
#include <charconv>
#include <ctime>

#include "config/scalar.hpp"

namespace mydocker::ctl {

using namespace std::chrono;

namespace {

// Takes `digits` decimal digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
    int value = 0;
    if (text.size() < digits) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
    if (error != std::errc{} || end != text.data() + digits || value < 0) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

std::string count(std::int64_t number, const char* unit) {
    return std::to_string(number) + ' ' + unit + (number == 1 ? "" : "s");
}

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
    const auto year = take_number(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_number(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_number(text, 2);
    if (!day || (!take(text, 'T') && !take(text, 't') && !take(text, ' '))) return std::nullopt;
    const auto hour = take_number(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_number(text, 2);
    if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
    const auto second = take_number(text, 2);
    if (!second || *second > 60) return std::nullopt;
    nanoseconds fraction{0};
    if (take(text, '.')) {
        nanoseconds digit{100'000'000};
        if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
        while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
            fraction += digit * (text.front() - '0');
            digit /= 10;
            text.remove_prefix(1);
        }
    }
    minutes offset{0};
    if (!take(text, 'Z') && !take(text, 'z')) {
        const int sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
        const auto offset_hours = take_number(text, 2);
        if (sign == 0 || !offset_hours || !take(text, ':')) return std::nullopt;
        const auto offset_minutes = take_number(text, 2);
        if (!offset_minutes) return std::nullopt;
        offset = sign * (hours{*offset_hours} + minutes{*offset_minutes});
    }
    const year_month_day date{std::chrono::year{*year},
                              std::chrono::month{static_cast<unsigned>(*month)},
                              std::chrono::day{static_cast<unsigned>(*day)}};
    // Nanoseconds since 1970 reach to the year 2262 only.
    if (!text.empty() || !date.ok() || *year < 1700 || *year > 2200) return std::nullopt;
    return Time{sys_days{date}} + hours{*hour} + minutes{*minute} + seconds{*second} + fraction -
           offset;
}

std::string format_rfc3339(Time time) {
    const auto whole = floor<seconds>(time);
    const std::time_t stamp = whole.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&stamp, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::string fraction = std::to_string((time - whole).count());
    return std::string(text.data()) + '.' + std::string(9 - fraction.size(), '0') + fraction + 'Z';
}

std::optional<Time> parse_since(std::string_view text, Time now) {
    if (const auto time = parse_rfc3339(text)) return time;
    if (const auto back = config::parse_duration(text)) return now - *back;
    return std::nullopt;
}

std::string local_time(std::string_view rfc3339) {
    const auto time = parse_rfc3339(rfc3339);
    if (!time) return "-";
    const std::time_t stamp = floor<seconds>(*time).time_since_epoch().count();
    std::tm parts{};
    localtime_r(&stamp, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return text.data();
}

std::string rough_span(nanoseconds span) {
    if (span < seconds{1}) return "Less than a second";
    if (span < minutes{1}) return count(span / seconds{1}, "second");
    if (span < minutes{2}) return "About a minute";
    if (span < minutes{46}) return count(span / minutes{1}, "minute");
    if (span < minutes{90}) return "About an hour";
    if (span < hours{48}) return count(round<hours>(span).count(), "hour");
    if (span < days{14}) return count(span / days{1}, "day");
    if (span < days{60}) return count(span / weeks{1}, "week");
    if (span < days{730}) return count(span / days{30}, "month");
    return count(span / days{365}, "year");
}

std::string ago(std::string_view rfc3339, Time now) {
    const auto time = parse_rfc3339(rfc3339);
    return time ? rough_span(now - *time) + " ago" : std::string{};
}

std::string short_span(std::int64_t value) {
    milliseconds span{value};
    // Rounded to what a person can use: tenths below ten seconds, seconds below an hour.
    if (span >= hours{1}) {
        span = round<minutes>(span);
    } else if (span >= seconds{10}) {
        span = round<seconds>(span);
    } else if (span >= seconds{1}) {
        span = duration_cast<milliseconds>(round<duration<std::int64_t, std::deci>>(span));
        const auto tenths = span.count() / 100;
        return std::to_string(tenths / 10) +
               (tenths % 10 == 0 ? "" : '.' + std::to_string(tenths % 10)) + 's';
    }
    return config::format_duration(span);
}

}  // namespace mydocker::ctl
