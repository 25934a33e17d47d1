// A tree as a tar stream. Nothing but the named path itself is ever resolved: below it every entry
// is opened by its name in its directory's descriptor, without following links, so that a tree that
// changes meanwhile can at most lose entries. Memory does not grow with the tree or its files.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mydocker::files {

// The name at the root of a tree's tar: the path's last part, "." for the contents alone ("/", ".",
// "dir/."), and of ".." what it leads to.
std::string root_name(const std::string& path);

struct PackOptions {
    bool follow = false;  // where the path itself is a symbolic link: what it leads to
};

// Where the bytes go; it throws for what cannot be written.
using ByteSink = std::function<void(std::string_view)>;

// Writes the tree of `path`, relative to the process's root and working directory. Nothing has gone
// to the sink when the path itself cannot be read. Throws TreeError, or what the sink threw.
void pack(const std::string& path, const PackOptions& options, const ByteSink& sink);

}  // namespace mydocker::files
