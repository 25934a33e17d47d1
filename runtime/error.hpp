// How setup fails: a std::system_error whose text is the step and the path, for people. The caller
// adds the container's name once, on the way up.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace mydocker::runtime {

[[noreturn]] inline void fail(int error, const std::string& step) {
    throw std::system_error(error, std::generic_category(), step);
}

// must(open(...), "open " + path): the value, or a throw with errno's text.
template <class Integer>
Integer must(Integer result, const std::string& step) {
    if (result < 0) fail(errno, step);
    return result;
}

}  // namespace mydocker::runtime
