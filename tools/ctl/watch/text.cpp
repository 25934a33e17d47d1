// See text.hpp.
#include "tools/ctl/watch/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cwchar>

#include "tools/ctl/terminal.hpp"
#include "tools/ctl/times.hpp"

namespace mydocker::ctl::watch {

namespace {

constexpr std::size_t tab = 8;

struct Character {
    std::string_view bytes;
    std::size_t width = 0;
};

// The first character of `text`, which is not empty; '?' for what cannot be shown.
Character first_of(std::string_view text, std::size_t& used) {
    std::mbstate_t state{};
    wchar_t wide = 0;
    const std::size_t size = std::mbrtowc(&wide, text.data(), text.size(), &state);
    const bool is_whole = size > 0 && size <= text.size();
    used = is_whole ? size : 1;
    const int width = is_whole ? ::wcwidth(wide) : -1;
    if (width < 0) return {"?", 1};
    return {text.substr(0, size), static_cast<std::size_t>(width)};
}

std::string fixed(double value, int digits) {
    std::array<char, 64> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                            std::chars_format::fixed, digits);
    return error == std::errc{} ? std::string(text.data(), end) : "?";
}

}  // namespace

std::string fit(std::string_view text, std::size_t width, Align align) {
    const std::string safe = printable(text);
    std::string shown, cut;  // `cut`: what is kept where something must go
    std::size_t columns = 0, cut_columns = 0;
    for (std::size_t at = 0; at < safe.size() && columns <= width;) {
        std::size_t used = 0;
        const Character character = first_of(std::string_view(safe).substr(at), used);
        at += used;
        if (columns + character.width + 1 <= width) {
            cut = shown + std::string(character.bytes);
            cut_columns = columns + character.width;
        }
        shown += character.bytes;
        columns += character.width;
    }
    if (columns > width) {
        shown = width == 0 ? "" : cut + '~';
        columns = width == 0 ? 0 : cut_columns + 1;
    }
    const std::string blanks(width - columns, ' ');
    return align == Align::left ? shown + blanks : blanks + shown;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
    const std::string safe = printable(text);
    std::vector<std::string> rows(1);
    std::size_t columns = 0;
    for (std::size_t at = 0; at < safe.size();) {
        std::size_t used = 0;
        const Character character = first_of(std::string_view(safe).substr(at), used);
        at += used;
        if (columns > 0 && columns + character.width > width) {
            rows.emplace_back();
            columns = 0;
        }
        rows.back() += character.bytes;
        columns += character.width;
    }
    return rows;
}

std::string sparkline(std::span<const double> values, std::size_t width, double least_top,
                      bool blocks) {
    static constexpr std::array<const char*, 9> unicode{" ", "▁", "▂", "▃", "▄",
                                                        "▅", "▆", "▇", "█"};
    static constexpr std::array<const char*, 9> ascii{" ", "_", ".", ":", "-", "=", "+", "*", "#"};
    const auto& levels = blocks ? unicode : ascii;
    if (values.size() > width) values = values.last(width);
    double top = least_top;
    for (const double value : values) top = std::max(top, value);
    std::string graph(width - values.size(), ' ');
    for (const double value : values) {
        if (value < 0) {
            graph += ' ';
            continue;
        }
        const double part = top > 0 ? std::clamp(value / top, 0.0, 1.0) : 0.0;
        // Something is never nothing, and nothing is the lowest block: it was measured.
        graph += levels[std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(part * 8)))];
    }
    return graph;
}

std::string bar(double fraction, std::size_t width, bool blocks) {
    static constexpr std::array<const char*, 8> parts{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const double part = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
    std::string text;
    if (!blocks) {
        const auto full = static_cast<std::size_t>(std::lround(part * static_cast<double>(width)));
        return std::string(full, '#') + std::string(width - full, '.');
    }
    const auto eighths =
        static_cast<std::size_t>(std::lround(part * 8 * static_cast<double>(width)));
    for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
    std::size_t used = eighths / 8;
    if (eighths % 8 != 0) {
        text += parts[eighths % 8];
        ++used;
    }
    for (; used < width; ++used) text += "·";
    return text;
}

std::string compact_size(std::uint64_t bytes) {
    constexpr std::string_view units = "BKMGTPE";
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    // 999.5 would be shown as 1000.
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    return fixed(value, unit > 0 && value < 9.95 ? 1 : 0) + units[unit];
}

std::string compact_percent(const std::optional<double>& value) {
    if (!value) return "-";
    if (*value < 0.05) return "0";
    return fixed(*value, *value < 9.95 ? 1 : 0);
}

std::string countdown(std::int64_t milliseconds) {
    if (milliseconds <= 0) return "now";
    return short_span((milliseconds + 999) / 1000 * 1000);
}

std::string plain_line(std::string_view text) {
    std::string plain;
    std::size_t column = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\x1b' && at + 1 < text.size() && text[at + 1] == '[') {
            // ECMA-48: parameters, then one byte from '@' to '~' that ends it.
            std::size_t end = at + 2;
            while (end < text.size() && text[end] >= 0x20 && text[end] < 0x40) ++end;
            if (end < text.size() && text[end] >= 0x40 && text[end] < 0x7f) {
                at = end;
                continue;
            }
        }
        if (c == '\t') {
            const std::size_t blanks = tab - column % tab;
            plain.append(blanks, ' ');
            column += blanks;
        } else if (c != '\r' || at + 1 != text.size()) {
            plain += c;
            if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
        }
    }
    return plain;
}

}  // namespace mydocker::ctl::watch
