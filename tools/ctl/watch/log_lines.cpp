// See log_lines.hpp.
#include "tools/ctl/watch/log_lines.hpp"

#include <algorithm>

#include "tools/ctl/watch/text.hpp"

namespace mydocker::ctl::watch {

void LogLines::push(Line line) {
    bytes_ += line.text.size();
    lines_.push_back(std::move(line));
    while (lines_.size() > most_lines || bytes_ > most_bytes) {
        bytes_ -= lines_.front().text.size();
        lines_.pop_front();
        if (last_ && *last_ > 1) --*last_;
    }
}

void LogLines::add(LogStream stream, std::string_view text) {
    const LineKind kind = stream == LogStream::out ? LineKind::out : LineKind::err;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view part = text.substr(0, end);
        if (lines_.empty() || !lines_.back().open || lines_.back().kind != kind)
            push({"", kind, true});
        Line& line = lines_.back();
        const std::size_t room = longest - std::min(longest, line.text.size());
        line.text += part.substr(0, room);
        bytes_ += std::min(room, part.size());
        if (end == std::string_view::npos) return;
        line.open = false;
        text.remove_prefix(end + 1);
    }
}

void LogLines::note(const std::string& text) { push({text, LineKind::note, false}); }

void LogLines::clear() {
    lines_.clear();
    bytes_ = 0;
    last_.reset();
}

std::vector<LogLines::Shown> LogLines::page(std::size_t rows, std::size_t columns) const {
    std::vector<Shown> page;  // from the bottom
    for (std::size_t at = end(); at > 0 && page.size() < rows; --at) {
        const Line& line = lines_[at - 1];
        const std::vector<std::string> parts = wrap(plain_line(line.text), columns);
        for (auto part = parts.rbegin(); part != parts.rend() && page.size() < rows; ++part)
            page.push_back({*part, line.kind});
    }
    std::reverse(page.begin(), page.end());
    return page;
}

// The end of the view that still fills the screen from the first line.
std::size_t LogLines::least_end(std::size_t rows, std::size_t columns) const {
    std::size_t used = 0, at = 0;
    while (at < lines_.size() && used < rows)
        used += wrap(plain_line(lines_[at++].text), columns).size();
    return at;
}

void LogLines::scroll(std::ptrdiff_t lines, std::size_t rows, std::size_t columns) {
    const auto wanted = static_cast<std::ptrdiff_t>(end()) + lines;
    if (wanted >= static_cast<std::ptrdiff_t>(lines_.size())) return to_end();
    last_ = std::max(wanted < 0 ? 0 : static_cast<std::size_t>(wanted), least_end(rows, columns));
    if (*last_ >= lines_.size()) to_end();
}

void LogLines::to_begin(std::size_t rows, std::size_t columns) {
    last_ = least_end(rows, columns);
    if (*last_ >= lines_.size()) to_end();
}

}  // namespace mydocker::ctl::watch
