// How problems look to people. Host files are not trusted: a control character or a torn UTF-8
// sequence in one must not reach the terminal of whoever reads the message.
#include "config/problem.hpp"

#include <algorithm>
#include <tuple>

namespace mydocker::config {

namespace {

constexpr std::size_t longest_quote = 60;

// Length of the well-formed UTF-8 sequence at the front, 0 if there is none: not for surrogates and
// overlong forms (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t index) -> unsigned {
        return index < text.size() ? static_cast<unsigned char>(text[index]) : 0;
    };
    const auto continues = [&](std::size_t index) { return (byte(index) & 0xc0U) == 0x80U; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (!continues(1) || !continues(2)) return 0;
        if (lead == 0xe0 && byte(1) < 0xa0) return 0;
        if (lead == 0xed && byte(1) >= 0xa0) return 0;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (!continues(1) || !continues(2) || !continues(3)) return 0;
        if (lead == 0xf0 && byte(1) < 0x90) return 0;
        if (lead == 0xf4 && byte(1) >= 0x90) return 0;
        return 4;
    }
    return 0;
}

// C0, DEL, and C1 (U+0080 to U+009F), which terminals obey as well.
bool is_control(std::string_view sequence) {
    const auto front = static_cast<unsigned char>(sequence.front());
    return front < 0x20 || front == 0x7f ||
           (front == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0);
}

void append_hex(std::string& out, char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    out += "\\x";
    out += digits[value >> 4U];
    out += digits[value & 0xfU];
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const char front = text.front();
        if (front == '\n') {
            out += "\\n";
        } else if (front == '\t') {
            out += "\\t";
        } else if (length == 0 || is_control(text.substr(0, length))) {
            for (const char byte : text.substr(0, std::max<std::size_t>(length, 1))) {
                append_hex(out, byte);
            }
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

}  // namespace

std::string in_quotes(std::string_view text) {
    std::size_t end = 0;
    while (end < text.size()) {
        const std::size_t next = end + std::max<std::size_t>(utf8_length(text.substr(end)), 1);
        if (next > longest_quote) break;
        end = next;
    }
    return '"' + printable(text.substr(0, end)) + (end < text.size() ? "…\"" : "\"");
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string to_string(const Problem& problem) {
    std::string out;
    const auto part = [&](const std::string& text) {
        if (text.empty()) return;
        if (!out.empty()) out += ": ";
        out += printable(text);
    };
    std::string place = problem.file;
    if (problem.line != 0) {
        if (!place.empty()) place += ':';
        place += std::to_string(problem.line) + ':' + std::to_string(problem.column);
    }
    part(place);
    if (!problem.fatal) part("warning");
    part(problem.key);
    part(problem.what);
    if (!problem.hint.empty()) out += " (" + printable(problem.hint) + ')';
    return out;
}

std::string to_string(const std::vector<Problem>& problems) {
    std::string out;
    for (const Problem& problem : problems) out += to_string(problem) + '\n';
    return out;
}

void sort(std::vector<Problem>& problems) {
    const auto place = [](const Problem& problem) {
        return std::tie(problem.file, problem.line, problem.column);
    };
    std::stable_sort(problems.begin(), problems.end(),
                     [&](const Problem& a, const Problem& b) { return place(a) < place(b); });
}

}  // namespace mydocker::config
