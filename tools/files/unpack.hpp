// A tar stream into a tree. Where it goes is `docker cp`'s rule and is decided once, from the path
// and the stream's first entry; everything below goes by the names in the stream, which may be an
// enemy's: no "..", nothing absolute, no device nodes, and where told so nothing through symbolic
// links and nothing set-uid. Memory does not grow with files; it does, a little, with directories,
// whose times are set at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mydocker::files {

struct UnpackOptions {
    // The stream's entries go into the directory as they are named, and it must exist; else the
    // stream is one tree, which goes where the destination says.
    bool as_named = false;
    bool keep_owner = false;  // else whoever unpacks owns it
    // The stream is not to be trusted with what lies around the destination: nothing is written
    // through a symbolic link below it, no set-uid or set-gid bit, no capability.
    bool hostile = true;
    // Directories in which nothing may be put because it would not be seen there: mount points of
    // what is not mounted now. Absolute.
    std::vector<std::string> hidden = {};
};

// Up to that many bytes of the stream, 0 at its end. It throws for what cannot be read.
using ByteSource = std::function<std::size_t(char* bytes, std::size_t size)>;

struct Unpacked {
    std::uint64_t entries = 0;
    std::uint64_t left_out = 0;  // device nodes
};

// Changes the process's working directory. Throws TreeError, or what the source threw.
Unpacked unpack(const std::string& destination, const UnpackOptions& options,
                const ByteSource& source);

// Where a path of the process's root really leads; of one that does not exist, where it would be.
std::string real_path(const std::string& path);
// Throws where the path leads into one of `hidden`.
void refuse_hidden(const std::string& path, const std::vector<std::string>& hidden);

}  // namespace mydocker::files
