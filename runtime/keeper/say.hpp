// One line for people on stderr, written whole by the destructor. It is left out where stderr takes
// nothing at once: a pipe that nobody reads must not stop the keeper.
#pragma once

#include <stdint.h>

namespace mydocker::keeper {

class Say {
public:
    Say() { *this << "mydocker-keeper: "; }
    ~Say();
    Say(const Say&) = delete;
    Say& operator=(const Say&) = delete;

    Say& operator<<(const char* text);
    Say& operator<<(int64_t number);

private:
    char
        line_[512];  // what is longer is cut; a pipe takes as much in one piece (pipe(7), PIPE_BUF)
    uint32_t size_ = 0;
};

// errno's text, or nothing for a rare one: its number is said as well.
const char* error_text(int error);

}  // namespace mydocker::keeper
