// What several unit tests need: a directory of their own, and a loop to run one coroutine to its
// end.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace mydocker::tests {

// A new directory below /tmp, gone again with this object.
class Scratch {
public:
    Scratch() {
        char pattern[] = "/tmp/mydocker-test-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(pattern) != nullptr);
        path_ = pattern;
    }
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

inline std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

template <class T>
T complete(asio::awaitable<T> coroutine) {
    asio::io_context loop(1);
    auto result = asio::co_spawn(loop, std::move(coroutine), asio::use_future);
    loop.run();
    return result.get();
}

}  // namespace mydocker::tests
