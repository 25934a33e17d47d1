// How copying a tree fails: one sentence for people, and whose fault it is.
#pragma once

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace mydocker::files {

class TreeError : public std::runtime_error {
public:
    enum class Kind : unsigned char {
        failed = 1,     // the system would not
        not_found = 2,  // there is no such path
        conflict = 3    // what is there does not allow it
    };
    TreeError(Kind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
    Kind kind() const { return kind_; }

private:
    Kind kind_;
};

// errno's text after what was attempted: "open /etc/shadow: Permission denied".
[[noreturn]] inline void fail(int error, const std::string& what) {
    throw TreeError(
        error == ENOENT || error == ENOTDIR ? TreeError::Kind::not_found : TreeError::Kind::failed,
        what + ": " + std::strerror(error));
}

}  // namespace mydocker::files
