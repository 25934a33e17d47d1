// Prints a stream of CRI log lines as `logs` and `run` do: the workload's bytes as they were, its
// stdout on ours and its stderr on ours.
#pragma once

#include <string>
#include <string_view>

#include "tools/ctl/cri.hpp"

namespace mydocker::ctl {

class LogPrinter {
public:
    explicit LogPrinter(bool with_timestamps);

    // A piece of the log, of any size; everything that came of it is written before it returns.
    void feed(std::string_view bytes);
    // Whether standard output stands in the middle of a line of the workload's.
    bool is_mid_line() const { return mid_line_; }

private:
    void flush();

    bool with_timestamps_;
    bool mid_line_ = false;
    std::string pending_;  // bounded by one piece and its timestamps
    LogStream stream_ = LogStream::out;
    CriReader reader_;
};

}  // namespace mydocker::ctl
