// A libFuzzer program (https://llvm.org/docs/LibFuzzer.html) for the target that TARGET names.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    mydocker::fuzz::TARGET({reinterpret_cast<const char*>(data), size});
    return 0;
}
