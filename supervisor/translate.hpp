// From what a host file says to what the runtime understands. Pure but for one question to the
// kernel: which capabilities there are.
#pragma once

#include <filesystem>

#include "config/host.hpp"
#include "runtime/entry.hpp"
#include "runtime/spec.hpp"

namespace mydocker::supervisor {

struct ExecRequest;

// `directory` is the container's own below data_root: the writable layer of a copy-on-write root is
// kept in it. Throws std::system_error for what only the runtime knows (a ulimit's name).
runtime::Spec translate(const config::Container& container, const std::filesystem::path& directory);

// A command inside: the container's own process, with what the request changes. `container` is the
// Spec of the one it enters.
runtime::EntrySpec translate(const ExecRequest& request, runtime::Spec container);

runtime::Limits translate(const config::Limits& limits, config::OomPolicy oom_policy);

}  // namespace mydocker::supervisor
