// What `run`, `attach` and `exec` have in common on the command line and in their requests.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "supervisor/protocol/stream.hpp"
#include "tools/ctl/command.hpp"

namespace mydocker::ctl {

const Option& detach_keys_option();
const Option& sig_proxy_option();

std::string detach_keys_of(const Arguments& arguments);  // as bytes
bool proxies_signals(const Arguments& arguments);

// What an attach request asks for.
struct AttachQuery {
    bool input = false;
    bool terminal = false;                        // sends our terminal's size
    bool await = false;                           // of a container at rest: its next start
    bool once = false;                            // our end is the end of its input
    std::optional<protocol::Position> from = {};  // where a stream was that broke
};
std::string attach_path(const std::string& name, const AttachQuery& query);
// How such a stream is resumed after a break (Attachment::resume); `client` outlives it.
std::function<Exchange(const protocol::Position& seen)> resumption(const Client& client,
                                                                   std::string id,
                                                                   AttachQuery query);

}  // namespace mydocker::ctl
