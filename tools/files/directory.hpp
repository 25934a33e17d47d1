// Walking down a tree.
#pragma once

#include <dirent.h>

#include <memory>

namespace mydocker::files {

constexpr int deepest = 512;  // directories below each other

struct DirClose {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirClose>;

}  // namespace mydocker::files
