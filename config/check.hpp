// What single keys cannot show: keys that contradict each other. Private to config/.
#pragma once

#include "config/host.hpp"
#include "config/reader.hpp"

namespace mydocker::config {

// `table` is what the container was read from: problems stand where the file has the key.
void check_container(const Container& container, const Value& table);
void check_daemon(const Daemon& daemon, const Value& table);

}  // namespace mydocker::config
