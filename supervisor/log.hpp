// mydockerd's own log, to stderr. A line is a decision's reason, or an error with its step and
// path. (What containers write is log_files.hpp's.)
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace mydocker::supervisor::log {

using spdlog::critical;
using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

// `level`: trace, debug, info, warn, error, critical, off; false when it is none of these. Behind
// journald (JOURNAL_STREAM is set) lines carry sd-daemon(3) priorities instead of time and level.
bool set_up(const std::string& level);

}  // namespace mydocker::supervisor::log
