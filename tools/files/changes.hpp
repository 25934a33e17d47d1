// What an overlay's writable layer changes: each path that was added, changed or deleted against
// the layer below it, as `docker diff` tells it.
#pragma once

#include <functional>
#include <string>

namespace mydocker::files {

// 'A', 'C' or 'D' and the absolute path in the container.
using ChangeSink = std::function<void(char kind, const std::string& path)>;

// Both are directories' descriptors, which stay the caller's; nothing is followed in either. A
// directory comes before what is in it, and is told when something in it was added or deleted or
// when its own owner, mode or time has changed. Throws TreeError.
void find_changes(int upper, int lower, const ChangeSink& sink);

}  // namespace mydocker::files
