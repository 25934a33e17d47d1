// Measures how deep a TOML text nests without parsing it: strings and comments are skipped,
// brackets and the dots of keys are counted. It errs on the deep side only (the dot of a number
// counts until the next comma), and looks no further than the first broken string, where the parser
// stops too.
#include <algorithm>

#include "config/tree.hpp"

namespace mydocker::config {

namespace {

class NestingScan {
public:
    explicit NestingScan(std::string_view text) : text_{text} {}

    std::optional<Place> run() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"' || c == '\'') {
                line_is_blank_ = false;
                if (!skip_string(c)) return std::nullopt;
                continue;
            }
            if (c == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
                continue;
            }
            count(c);
            if (header_ + in_brackets_ + dots_ > most_levels) return place();
            if (c != ' ' && c != '\t' && c != '\r' && c != '\n') line_is_blank_ = false;
            ++at_;
        }
        return std::nullopt;
    }

private:
    void count(char c) {
        switch (c) {
            case '.': ++dots_; break;
            case '=':
                key_ = dots_;
                dots_ = 0;
                break;
            case ',': key_ = dots_ = 0; break;
            case '\n':
                ++line_;
                line_start_ = at_ + 1;
                if (!open_.empty()) break;
                if (in_header_) header_ = dots_ + 1;
                in_header_ = false;
                line_is_blank_ = true;
                key_ = dots_ = 0;
                break;
            case '[':
            case '{':
                if (open_.empty() && (line_is_blank_ || in_header_)) {
                    in_header_ = true;
                    header_ = 1;
                    break;
                }
                open_.push_back(1 + key_);
                in_brackets_ += open_.back();
                key_ = dots_ = 0;
                break;
            case ']':
            case '}':
                if (open_.empty()) break;
                in_brackets_ -= open_.back();
                open_.pop_back();
                key_ = dots_ = 0;
                break;
            default: break;
        }
    }

    // Past the string that starts here; false if it is never closed.
    bool skip_string(char quote) {
        const std::string closing(3, quote);
        const bool multi_line = text_.compare(at_, 3, closing) == 0;
        at_ += multi_line ? 3 : 1;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '\\' && quote == '"') {
                ++at_;
                if (at_ < text_.size() && text_[at_] == '\n') new_line();
            } else if (c == '\n') {
                if (!multi_line) return false;
                new_line();
            } else if (c == quote && !multi_line) {
                ++at_;
                return true;
            } else if (c == quote && text_.compare(at_, 3, closing) == 0) {
                at_ += 3;
                // Two more quotes belong to the string: """"quoted"""" .
                for (int more = 0; more < 2 && at_ < text_.size() && text_[at_] == quote; ++more)
                    ++at_;
                return true;
            }
        }
        return false;
    }

    void new_line() {
        ++line_;
        line_start_ = at_ + 1;
    }

    Place place() const { return {line_, static_cast<unsigned>(at_ - line_start_ + 1)}; }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_start_ = 0;
    unsigned line_ = 1;
    bool line_is_blank_ = true;
    bool in_header_ = false;
    std::size_t header_ = 0;       // levels of the [header] above
    std::size_t in_brackets_ = 0;  // sum of open_
    std::size_t dots_ = 0;         // of the key being read
    std::size_t key_ = 0;          // dots of the key whose value comes next
    std::vector<std::size_t> open_;
};

}  // namespace

std::optional<Place> too_deep(std::string_view text) { return NestingScan{text}.run(); }

}  // namespace mydocker::config
