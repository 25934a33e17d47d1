// See state_file.hpp.
#include "supervisor/state_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "runtime/error.hpp"
#include "runtime/unique_fd.hpp"

namespace mydocker::supervisor {

using runtime::must;

std::optional<std::string> read_whole(const std::string& path, FileVersion* version) {
    const runtime::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
    must(fd.get(), "open " + path);
    if (version != nullptr) *version = FileVersion::of(fd.get());
    std::string text;
    char chunk[16384];
    for (;;) {
        const ssize_t got = ::read(fd.get(), chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        if (must(got, "read " + path) == 0) return text;
        text.append(chunk, static_cast<std::size_t>(got));
    }
}

// The boot id stands in the first line.
void save_of_boot(const std::string& path, const std::string& boot, const std::string& text) {
    const std::string temporary = path + ".new";
    const std::string what = "write " + temporary;
    const std::string all = boot + "\n" + text;
    {
        const runtime::UniqueFd fd(
            must(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), what));
        for (std::size_t at = 0; at < all.size();)
            at += static_cast<std::size_t>(
                must(::write(fd.get(), all.data() + at, all.size() - at), what));
    }
    must(::rename(temporary.c_str(), path.c_str()), "rename " + temporary);
}

std::optional<std::string> load_of_boot(const std::string& path, const std::string& boot) {
    const auto all = read_whole(path);
    if (!all || !all->starts_with(boot + "\n")) return std::nullopt;
    return all->substr(boot.size() + 1);
}

}  // namespace mydocker::supervisor
