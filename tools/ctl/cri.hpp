// Takes log lines in the CRI format apart again ("TIME stdout F text\n"), in pieces of any size and
// in constant memory, so that what the workload wrote comes out byte for byte.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace mydocker::ctl {

enum class LogStream : std::uint8_t { out, err };

class CriReader {
public:
    // `text` belongs to `stream`; where it opens a line of the workload, `time` is its timestamp,
    // otherwise empty.
    using Sink =
        std::function<void(LogStream stream, std::string_view time, std::string_view text)>;

    explicit CriReader(Sink sink) : sink_(std::move(sink)) {}

    // What is no CRI line is given out as it stands, as text on stderr.
    void feed(std::string_view bytes);

private:
    bool read_header(char c);

    Sink sink_;
    std::string header_;  // "TIME stdout F " as far as it has come
    unsigned spaces_ = 0;
    bool in_text_ = false;
    LogStream stream_ = LogStream::out;
    bool full_ = false;             // F: a newline of the workload's follows the text
    bool whole_[2] = {true, true};  // by stream: the next text opens a line of the workload
};

}  // namespace mydocker::ctl
