// See signal_proxy.hpp.
#include "tools/ctl/signal_proxy.hpp"

#include <nlohmann/json.hpp>

#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

void forward_signal(const Client& client, const std::string& id, const std::string& signal) {
    try {
        client.call({"POST", container_path(id, "kill?signal=") + signal, {}});
    } catch (const Refused& refused) {
        constexpr int conflict = 409;
        if (refused.status() != conflict) return;  // removed meanwhile: the stream's end tells
        try {
            client.call({"POST", container_path(id, "stop"), {}});
        } catch (const Refused&) {  // at rest by now
        }
    }
}

}  // namespace mydocker::ctl
