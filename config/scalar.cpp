// Numbers with units, and the other small spellings of host files. All arithmetic is on integers,
// so that "0.1s" is exactly 100 ms; every overflow ends in "not one of these".
#include "config/scalar.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace mydocker::config {

namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

template <class Belongs>
std::string_view take_while(std::string_view& text, Belongs belongs) {
    const auto end = std::find_if_not(text.begin(), text.end(), belongs);
    const std::string_view front = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(front.size());
    return front;
}

std::string_view trimmed(std::string_view text) {
    take_while(text, is_blank);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::optional<std::uint64_t> whole_number(std::string_view digits, std::uint64_t most = largest) {
    if (digits.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (most - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
    }
    return value;
}

// "12" or "12.5" as it stands, before its unit is known.
struct Decimal {
    std::string_view whole;
    std::string_view fraction;
};

std::optional<Decimal> take_decimal(std::string_view& text) {
    Decimal decimal{take_while(text, is_digit), {}};
    if (decimal.whole.empty()) return std::nullopt;
    if (!text.empty() && text.front() == '.') {
        text.remove_prefix(1);
        decimal.fraction = take_while(text, is_digit);
        if (decimal.fraction.empty()) return std::nullopt;
    }
    return decimal;
}

std::optional<std::uint64_t> times(const Decimal& decimal, std::uint64_t unit) {
    const auto whole = whole_number(decimal.whole);
    if (!whole || *whole > largest / unit) return std::nullopt;
    // Horner's rule from the last digit: dividing a whole number stepwise loses nothing of the
    // final floor, and no intermediate value exceeds ten units.
    std::uint64_t part = 0;
    for (auto digit = decimal.fraction.rbegin(); digit != decimal.fraction.rend(); ++digit) {
        part = (static_cast<std::uint64_t>(*digit - '0') * unit + part) / 10;
    }
    const std::uint64_t value = *whole * unit;
    if (part > largest - value) return std::nullopt;
    return value + part;
}

// 1500 of a thousandth: "1.5".
std::string decimal_text(std::uint64_t value, std::uint64_t unit) {
    std::string out = std::to_string(value / unit);
    std::uint64_t rest = value % unit;
    if (rest == 0) return out;
    out += '.';
    for (; rest != 0; rest = rest * 10 % unit) out += static_cast<char>('0' + rest * 10 / unit);
    return out;
}

struct TimeUnit {
    std::string_view name;
    std::uint64_t microseconds;
};

constexpr std::array<TimeUnit, 10> time_units{{{"d", 86'400'000'000},
                                               {"h", 3'600'000'000},
                                               {"min", 60'000'000},
                                               {"m", 60'000'000},
                                               {"sec", 1'000'000},
                                               {"s", 1'000'000},
                                               {"ms", 1'000},
                                               {"us", 1},
                                               {"µs", 1},    // U+00B5, the micro sign
                                               {"μs", 1}}};  // U+03BC, the Greek letter

}  // namespace

std::optional<Bytes> parse_size(std::string_view text) {
    const auto decimal = take_decimal(text);
    if (!decimal) return std::nullopt;
    if (text.empty()) return times(*decimal, 1);
    if (text.front() == ' ') text.remove_prefix(1);
    std::string suffix = lower(text);
    constexpr std::string_view prefixes = "bkmgtp";
    const std::size_t power = suffix.empty() ? prefixes.npos : prefixes.find(suffix.front());
    if (power == prefixes.npos) return std::nullopt;
    suffix.erase(0, 1);
    const bool plain_bytes = power == 0;
    if (!suffix.empty() && (plain_bytes || (suffix != "b" && suffix != "ib"))) return std::nullopt;
    const auto shift = static_cast<unsigned>(power) * 10;
    return times(*decimal, std::uint64_t{1} << shift);
}

std::optional<Duration> parse_duration(std::string_view text) {
    text = trimmed(text);
    if (text == "0") return Duration{0};
    if (text.empty()) return std::nullopt;
    std::uint64_t total = 0;
    std::uint64_t last_unit = std::numeric_limits<std::uint64_t>::max();
    while (!text.empty()) {
        const auto decimal = take_decimal(text);
        if (!decimal) return std::nullopt;
        const std::string_view name =
            take_while(text, [](char c) { return !is_digit(c) && !is_blank(c) && c != '.'; });
        const auto unit = std::find_if(time_units.begin(), time_units.end(),
                                       [&](const TimeUnit& each) { return each.name == name; });
        if (unit == time_units.end() || unit->microseconds >= last_unit) return std::nullopt;
        const auto value = times(*decimal, unit->microseconds);
        if (!value || *value > largest - total) return std::nullopt;
        total += *value;
        last_unit = unit->microseconds;
        take_while(text, is_blank);
    }
    return Duration{static_cast<Duration::rep>(total)};
}

std::string format_duration(Duration duration) {
    const auto count = duration.count();
    if (count == 0) return "0s";
    std::string out = count < 0 ? "-" : "";
    // Negated as unsigned: the most negative count has no positive counterpart.
    auto rest =
        count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
    if (rest < 1'000) return out + std::to_string(rest) + "us";
    if (rest < 1'000'000) return out + decimal_text(rest, 1'000) + "ms";
    for (const auto& [unit, microseconds] : {TimeUnit{"h", 3'600'000'000}, {"m", 60'000'000}}) {
        if (rest >= microseconds) out += std::to_string(rest / microseconds) += unit;
        rest %= microseconds;
    }
    return rest == 0 ? out : out + decimal_text(rest, 1'000'000) + "s";
}

std::string format_size(Bytes bytes) {
    constexpr std::array<std::string_view, 7> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t power = 0;
    // The step up is taken where rounding would show 1024 of a unit.
    while (power + 1 < units.size() && (bytes >> (10 * power)) >= 1024) ++power;
    if (power == 0) return std::to_string(bytes) + "B";
    const auto hundredths_of = [&](std::size_t unit) {
        const Bytes whole = bytes >> (10 * unit);
        const Bytes rest = bytes - (whole << (10 * unit));
        // Ten bits below the unit are enough for two decimals, and keep the product small.
        const Bytes thousand24ths = rest >> (10 * (unit - 1));
        return whole * 100 + (thousand24ths * 100 + 512) / 1024;
    };
    Bytes hundredths = hundredths_of(power);
    if (hundredths >= 102'400 && power + 1 < units.size()) hundredths = hundredths_of(++power);
    return decimal_text(hundredths, 100) + std::string{units[power]};
}

std::string exact_size(Bytes bytes) {
    constexpr std::string_view units = "ptgmk";
    for (std::size_t index = 0; bytes != 0 && index < units.size(); ++index) {
        const auto shift = static_cast<unsigned>(10 * (units.size() - index));
        const Bytes whole = bytes >> shift;
        if (whole << shift == bytes) return std::to_string(whole) + units[index];
    }
    return std::to_string(bytes);
}

std::optional<std::string> parse_cpuset(std::string_view text) {
    constexpr std::uint64_t highest_cpu = 8191;
    std::vector<bool> cpus(highest_cpu + 2);
    while (true) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view item = trimmed(text.substr(0, comma));
        const std::size_t dash = item.find('-');
        const auto first = whole_number(item.substr(0, dash), highest_cpu);
        const auto last = dash == std::string_view::npos
                              ? first
                              : whole_number(item.substr(dash + 1), highest_cpu);
        if (!first || !last || *last < *first) return std::nullopt;
        for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) cpus[cpu] = true;
        if (comma == text.size()) break;
        text.remove_prefix(comma + 1);
    }
    std::string out;
    for (std::size_t cpu = 0; cpu < cpus.size(); ++cpu) {
        if (!cpus[cpu]) continue;
        const std::size_t first = cpu;
        while (cpus[cpu + 1]) ++cpu;
        if (!out.empty()) out += ',';
        out += std::to_string(first);
        if (cpu != first) out += '-' + std::to_string(cpu);
    }
    return out;
}

bool valid_name(std::string_view text) {
    const auto alphanumeric = [](char c) { return is_letter(c) || is_digit(c); };
    return !text.empty() && text.size() <= 63 && alphanumeric(text.front()) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

std::optional<std::vector<std::string>> split_words(std::string_view text) {
    std::vector<std::string> words;
    bool in_word = false;
    char quote = 0;
    const auto current = [&]() -> std::string& {
        if (!in_word) words.emplace_back();
        in_word = true;
        return words.back();
    };
    for (std::size_t index = 0; index < text.size(); ++index) {
        const char c = text[index];
        if (quote == '\'') {
            c == quote ? void(quote = 0) : current().push_back(c);
        } else if (c == '\\') {
            if (++index == text.size()) return std::nullopt;
            // Inside "…" a backslash quotes only what is special there (POSIX shell, 2.2.3).
            const bool special =
                std::string_view{"\"\\$`"}.find(text[index]) != std::string_view::npos;
            if (quote == '"' && !special) current().push_back('\\');
            current().push_back(text[index]);
        } else if (quote == '"') {
            c == quote ? void(quote = 0) : current().push_back(c);
        } else if (c == '\'' || c == '"') {
            current();
            quote = c;
        } else if (is_blank(c) || c == '\n' || c == '\r') {
            in_word = false;
        } else {
            current().push_back(c);
        }
    }
    if (quote != 0) return std::nullopt;
    return words;
}

}  // namespace mydocker::config
