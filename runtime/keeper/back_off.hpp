// How long the keeper waits before it starts mydockerd again.
#pragma once

#include <stdint.h>

namespace mydocker::keeper {

inline constexpr int64_t longest_back_off = 10'000;  // ms
// A mydockerd that was at work for so long makes the count of crashes start over.
inline constexpr int64_t sound_life = 1'000;  // ms

// Milliseconds before the start after the Nth crash in a row: 0, 50, 100, 200 ... 10 s.
constexpr int64_t back_off(uint32_t crashes) {
    if (crashes <= 1) return 0;
    int64_t delay = 50;
    for (uint32_t i = 2; i < crashes && delay < longest_back_off; ++i) delay *= 2;
    return delay < longest_back_off ? delay : longest_back_off;
}

}  // namespace mydocker::keeper
