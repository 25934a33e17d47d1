// The inside of a floor container: what its process does between clone3(2) and execve(2).
#pragma once

#include "tools/bench/floor/wire.hpp"

namespace mydocker::floor {

struct Inside {
    int root;  // a detached mount
    int go;    // read end of the pipe whose byte releases it
    Recipe recipe;
    const char* program;  // "/mydocker-true"
};

// Where the floor's own small root has room for a container's, and for the prepared root directory.
inline constexpr char new_root[] = "/root";
inline constexpr char prepared_root[] = "/prepared";

// Never returns. Exits with the number of the failing step where one fails.
[[noreturn]] void become_container(const Inside& inside);
const char* step_name(int status);

}  // namespace mydocker::floor
