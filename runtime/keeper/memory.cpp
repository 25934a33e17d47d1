// The four functions that a compiler calls on its own, whatever it is told (GCC's manual on
// -ffreestanding). The empty asm keeps it from taking the loop for what it implements.
#include <stddef.h>

extern "C" {

void* memmove(void* to, const void* from, size_t size) {
    auto* const out = static_cast<char*>(to);
    const auto* const in = static_cast<const char*>(from);
    const bool forwards = out < in;
    for (size_t i = 0; i < size; ++i) {
        const size_t at = forwards ? i : size - 1 - i;
        out[at] = in[at];
        asm volatile("" ::: "memory");
    }
    return to;
}

void* memcpy(void* to, const void* from, size_t size) { return memmove(to, from, size); }

void* memset(void* to, int value, size_t size) {
    auto* const out = static_cast<char*>(to);
    for (size_t i = 0; i < size; ++i) {
        out[i] = static_cast<char>(value);
        asm volatile("" ::: "memory");
    }
    return to;
}

int memcmp(const void* one, const void* other, size_t size) {
    const auto* const a = static_cast<const unsigned char*>(one);
    const auto* const b = static_cast<const unsigned char*>(other);
    for (size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) return a[i] - b[i];
        asm volatile("" ::: "memory");
    }
    return 0;
}

}  // extern "C"
