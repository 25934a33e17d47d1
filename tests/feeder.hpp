// Bytes into the parser of requests, in pieces, for the unit tests and the fuzzers.
#pragma once

#include <string>
#include <string_view>

#include "supervisor/api/http.hpp"

namespace mydocker::tests {

using supervisor::api::RequestParser;

// Feeds as a connection does: what the parser does not take yet is offered again with what follows.
class Feeder {
public:
    RequestParser::State give(std::string_view bytes) {
        buffer_ += bytes;
        if (parser.state() == RequestParser::State::incomplete && !buffer_.empty())
            buffer_.erase(0, parser.feed(buffer_));
        return parser.state();
    }
    const std::string& left() const { return buffer_; }

    RequestParser parser;

private:
    std::string buffer_;
};

}  // namespace mydocker::tests
