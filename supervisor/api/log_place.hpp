// A place in a container's log as requests give it: `from=FILE:BYTE`, where a client was whose
// connection broke.
#pragma once

#include <optional>

#include "supervisor/api/http.hpp"
#include "supervisor/log_files.hpp"

namespace mydocker::supervisor::api {

enum class Place : unsigned char { byte, record };  // any, or only where a record begins

// nullopt where none is given. Throws Refusal for what is no place in this log; one whose file was
// rotated away is one: its reader tells what is missing.
std::optional<LogPosition> place_of(const Request& request, const LogFiles& files, Place kind);

}  // namespace mydocker::supervisor::api
