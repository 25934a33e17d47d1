// The files that host files name: read whole and bounded, or found by pattern. Private to config/.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/reader.hpp"

namespace mydocker::config {

struct FileText {
    std::string text;
    std::string error;  // "No such file or directory"; "": the text is whole
};

// Regular files up to most_bytes: a FIFO or a device could block the caller or never end.
FileText read_text(const std::filesystem::path& path);

// Whether a path holds any of * ? [.
bool is_pattern(const std::string& path);

// The files a glob(7) pattern matches, sorted.
std::vector<std::string> matches(const std::string& pattern);

// Lines of KEY=VALUE by Docker's rules: # starts a comment line, blanks in front are dropped, the
// value is taken as it stands, quotes and all. The last line of a name wins, over `into` as well.
// `at` is where the file was named; problems inside it stand at its own lines.
bool read_env_file(const Value& at, const std::filesystem::path& path,
                   std::map<std::string, std::string>& into);

}  // namespace mydocker::config
