// The bytes of a container's files on their way, as a tar stream: pulled out of mydockerd's answer,
// in constant memory, with their number on standard error while it takes long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "tools/ctl/client.hpp"
#include "tools/ctl/progress.hpp"

namespace mydocker::ctl {

// "copying web:/data … 1.5 GiB", as Progress shows it.
class ByteProgress {
public:
    ByteProgress(std::string what, bool quiet);

    void add(std::size_t bytes);

private:
    bool quiet_;
    std::uint64_t total_ = 0;
    Progress progress_;
};

// The body of a GET, piece by piece, as its reader asks for it.
class Download {
public:
    Download(const Client& client, const std::string& target, ByteProgress& progress);

    // Waits for the next piece; empty at the end, and valid until the next call. Throws Refused for
    // an error, Failure where the answer is not whole.
    std::string_view next();

private:
    ByteProgress& progress_;
    std::string buffer_;
    Exchange exchange_;
};

}  // namespace mydocker::ctl
