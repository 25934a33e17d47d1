// What `run`, `attach` and `exec` have in common on the command line and in their requests.
#pragma once

#include <string>

#include "tools/ctl/command.hpp"

namespace mydocker::ctl {

const Option& detach_keys_option();
const Option& sig_proxy_option();

std::string detach_keys_of(const Arguments& arguments);  // as bytes
bool proxies_signals(const Arguments& arguments);

// What an attach request asks for.
struct AttachQuery {
    bool input = false;
    bool terminal = false;  // sends our terminal's size
    bool await = false;     // of a container at rest: its next start
    bool once = false;      // our end is the end of its input
};
std::string attach_path(const std::string& name, const AttachQuery& query);

}  // namespace mydocker::ctl
