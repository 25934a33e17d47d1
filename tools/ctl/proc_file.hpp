// A file of /proc as text, for what mydocker-ctl shows of processes and of the host.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

namespace mydocker::ctl {

// "" where it cannot be read.
inline std::string proc_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    return text.str();
}

}  // namespace mydocker::ctl
