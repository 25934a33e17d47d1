// Small files of mydockerd's own. What cannot be read now is neither absent nor broken: it throws,
// and whoever asked tries again later.
#pragma once

#include <optional>
#include <string>

#include "supervisor/read_ahead.hpp"

namespace mydocker::supervisor {

// nullopt where there is none. Throws std::system_error with the path. `version`: of what is read.
std::optional<std::string> read_whole(const std::string& path, FileVersion* version = nullptr);

// Of this boot of the machine alone, and unsynced: written whole or not at all (temporary file,
// rename). `boot`: the machine's boot id. Throws std::system_error with the path.
void save_of_boot(const std::string& path, const std::string& boot, const std::string& text);
// nullopt where there is none of this boot.
std::optional<std::string> load_of_boot(const std::string& path, const std::string& boot);

}  // namespace mydocker::supervisor
