// mydocker-ctl in a child process against a server that the test plays, and pipes for its standard
// streams.
#pragma once

#include <unistd.h>

#include <string>
#include <vector>

#include "tests/pty.hpp"
#include "tests/stream_server.hpp"
#include "tools/ctl/program.hpp"

namespace mydocker::tests {

// mydocker-ctl against this server, with these standard streams.
class Client : public SessionProcess {
public:
    Client(const StreamServer& server, std::vector<std::string> words, int in, int out, int err,
           bool controls = false)
        : SessionProcess([&] { return ctl::run_program(with(server, words)); }, in, out, err,
                         controls) {}

private:
    static std::vector<std::string> with(const StreamServer& server,
                                         std::vector<std::string> words) {
        words.insert(words.begin(), {"-H", server.path()});
        return words;
    }
};

struct Pipe {
    Pipe() {
        int ends[2];
        BOOST_TEST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        read = ctl::UniqueFd(ends[0]);
        write = ctl::UniqueFd(ends[1]);
    }
    std::string rest() const {
        std::string text;
        char buffer[65536];
        while (is_ready(read.get(), POLLIN)) {
            const ssize_t count = ::read(read.get(), buffer, sizeof buffer);
            if (count <= 0) break;
            text.append(buffer, static_cast<std::size_t>(count));
        }
        return text;
    }
    ctl::UniqueFd read, write;
};

}  // namespace mydocker::tests
