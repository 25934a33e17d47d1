// One small state machine: a header of three words, then text up to the newline.
#include "tools/ctl/cri.hpp"

namespace mydocker::ctl {

namespace {

// "2026-01-31T12:00:00.123456789+01:00 stdout F " is 46 characters long.
constexpr std::size_t longest_header = 64;

}  // namespace

void CriReader::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        if (!in_text_) {
            in_text_ = read_header(bytes.front());
            bytes.remove_prefix(1);
            continue;
        }
        const std::size_t length = bytes.find('\n');
        const bool ends = length != std::string_view::npos;
        bool& whole = whole_[static_cast<std::size_t>(stream_)];
        std::string_view time;
        if (whole) time = std::string_view(header_).substr(0, header_.find(' '));
        // An empty piece matters only where a newline of the workload's follows.
        std::string_view text = bytes.substr(0, ends && full_ ? length + 1 : length);
        if (!text.empty()) {
            sink_(stream_, time, text);
            whole = false;
        }
        if (!ends) return;
        bytes.remove_prefix(length + 1);
        if (full_) whole = true;
        header_.clear();
        spaces_ = 0;
        in_text_ = false;
    }
}

// True when `c` was the header's last character.
bool CriReader::read_header(char c) {
    header_ += c;
    if (c == ' ') ++spaces_;
    if (spaces_ == 3) {
        const std::string_view tail = std::string_view(header_).substr(header_.find(' '));
        full_ = tail.ends_with(" F ");
        const bool partial = tail.ends_with(" P ");
        const std::string_view name = tail.substr(0, tail.size() - 3);
        if ((full_ || partial) && (name == " stdout" || name == " stderr")) {
            stream_ = name == " stdout" ? LogStream::out : LogStream::err;
            return true;
        }
    }
    if (spaces_ < 3 && c != '\n' && header_.size() < longest_header) return false;
    // Not ours: let the rest of the line follow as text.
    sink_(LogStream::err, {}, header_);
    const bool line_ended = c == '\n';
    header_.clear();
    spaces_ = 0;
    stream_ = LogStream::err;
    full_ = true;
    whole_[1] = line_ended;
    return !line_ended;
}

}  // namespace mydocker::ctl
