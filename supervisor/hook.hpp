// Commands run on the host, beside the loop: the notification when something has happened to a
// container (restart.on_failure), whose result decides nothing, and the removal of large trees.
#pragma once

#include <asio/any_io_executor.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mydocker::supervisor {

// "{key}" in each argument becomes its value. stdin is /dev/null, stdout and stderr are
// mydockerd's. Killed when it takes over 30 s.
void run_hook(const asio::any_io_executor& executor, const std::string& container,
              const std::vector<std::string>& command,
              const std::map<std::string, std::string>& values);

// rm -r: a small tree at once, a large one by a process of its own, since that may take long.
void remove_tree(const asio::any_io_executor& executor, const std::filesystem::path& path);

}  // namespace mydocker::supervisor
