// A container's log with the lines that tell positions in it (`logs?positions=1`; protocol.hpp):
// takes those out, and always knows where the next byte stands, so that another request can go on
// exactly there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mydocker::ctl {

class PositionedLog {
public:
    explicit PositionedLog(std::function<void(std::string_view)> on_text)
        : on_text_(std::move(on_text)) {}

    // A piece of an answer, of any size. Throws Failure (125) for a position that is none.
    void feed(std::string_view bytes);
    void restart();  // another answer begins

    bool is_known() const { return file_ != 0; }
    std::string from() const { return std::to_string(file_) + ':' + std::to_string(byte_); }
    std::uint64_t attempt() const { return attempt_; }  // of a log of one attempt; 0: of all

private:
    void take_position();

    std::function<void(std::string_view)> on_text_;
    std::uint64_t file_ = 0;
    std::uint64_t byte_ = 0;
    std::uint64_t attempt_ = 0;
    bool begins_ = true;       // of this answer nothing has come
    bool mid_record_ = false;  // the byte before was no newline
    std::string position_;     // what has come of a position's line, with its @
};

}  // namespace mydocker::ctl
