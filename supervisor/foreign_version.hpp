// State on disk in a form that this mydockerd does not know, because another version of it wrote
// it: not broken, and not to be touched.
#pragma once

#include <stdexcept>
#include <string>

namespace mydocker::supervisor {

struct ForeignVersion : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The same, told with its path and what to do; `away` is what may be moved: "its directory".
inline ForeignVersion at_path(const std::string& path, const ForeignVersion& version,
                              const std::string& away) {
    return ForeignVersion(path + ": " + version.what() +
                          "; start the mydockerd that wrote it, or move " + away +
                          " away. Nothing was changed");
}

}  // namespace mydocker::supervisor
