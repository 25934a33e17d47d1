// Names of capability(7), and the set that a container has by default.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mydocker::runtime {

using Capabilities = std::uint64_t;  // bit n: capability n

// "NET_ADMIN", "CAP_NET_ADMIN", "net_admin"; nullopt: there is no such.
std::optional<unsigned> capability_number(std::string_view name);

// Docker's default set: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
// NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
Capabilities default_capabilities();

// All that this process has, and so may give: inside another container not all that the kernel
// knows.
Capabilities own_capabilities();

}  // namespace mydocker::runtime
