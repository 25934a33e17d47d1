// A tar stream on its way into a container, over a framed stream: never more of it in flight than
// mydockerd has room for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/ctl/stream_client.hpp"
#include "tools/ctl/transfer.hpp"

namespace mydocker::ctl {

class Upload {
public:
    // Throws Refused when mydockerd will not have it.
    Upload(const Client& client, const std::string& target, ByteProgress& progress);

    // Waits until all of it is on its way. Throws Failure as soon as the other side has failed.
    void send(std::string_view bytes);
    // Waits until all of it is there; what mydockerd has to say about it, "" for nothing.
    std::string finish();

private:
    void wait();        // until something moves
    std::string end();  // the last frame's reason; throws Failure where it is an error

    ByteProgress& progress_;
    StreamClient stream_;
    std::optional<std::string> end_;  // the last frame
};

}  // namespace mydocker::ctl
