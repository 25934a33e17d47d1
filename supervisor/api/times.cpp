// See times.hpp.
#include "supervisor/api/times.hpp"

#include <algorithm>
#include <ctime>

#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor::api {

namespace {

constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string time_of(const Request& request, const std::string& key) {
    const std::string text = request.get(key);
    if (text.empty()) return "";
    bool good = text.size() > shape.size() && text.back() == 'Z';
    for (std::size_t i = 0; i < shape.size() && good; ++i)
        good = shape[i] == 'd' ? is_digit(text[i]) : text[i] == shape[i];
    std::string fraction;
    if (good && text.size() > shape.size() + 1) {
        good = text[shape.size()] == '.';
        fraction = text.substr(shape.size() + 1, text.size() - shape.size() - 2);
        good = good && fraction.size() <= 9 &&
               fraction.find_first_not_of("0123456789") == std::string::npos;
    }
    if (!good)
        throw Refusal{"invalid",
                      key + " \"" + text + "\" is no UTC time such as 2026-01-31T12:00:00Z"};
    fraction.resize(9, '0');
    return text.substr(0, shape.size()) + "." + fraction + "Z";
}

WallTime parse_time(const std::string& text) {
    std::tm parts{};
    ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    const auto fraction = std::stoll(text.substr(shape.size() + 1, 9));
    // What a count of nanoseconds holds: the clients' years are any.
    constexpr std::time_t latest = 9'000'000'000;  // in 2255
    const std::time_t seconds = std::clamp<std::time_t>(::timegm(&parts), 0, latest);
    return WallTime(std::chrono::seconds(seconds) + std::chrono::nanoseconds(fraction));
}

std::optional<std::uint64_t> number_of(const Request& request, const std::string& key) {
    const std::string text = request.get(key);
    if (text.empty()) return std::nullopt;
    if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)
        throw Refusal{"invalid", key + " \"" + text + "\" is no number"};
    return std::stoull(text);
}

}  // namespace mydocker::supervisor::api
