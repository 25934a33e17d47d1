// See kernel_file.hpp.
#include "runtime/kernel_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include "runtime/error.hpp"
#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

std::optional<std::string> read_file_at(int dir, const char* name) {
    const UniqueFd fd(::openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) return std::nullopt;
    constexpr std::size_t limit = 64UL << 10;
    std::string text;
    char buffer[4096];
    while (text.size() < limit) {
        const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
        if (count < 0) return std::nullopt;
        if (count == 0) break;
        text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
}

std::optional<std::uint64_t> flat_value(const std::string& text, std::string_view key) {
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find('\n', at);
        if (end == std::string::npos) end = text.size();
        const std::string_view line(text.data() + at, end - at);
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
            std::uint64_t value = 0;
            const auto result =
                std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
            if (result.ec == std::errc{}) return value;
        }
        at = end + 1;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> status_mask(const std::string& status, const std::string& key) {
    const std::string label = key + ":\t";
    const std::size_t at = status.find(label);
    if (at == std::string::npos) return std::nullopt;
    const char* const begin = status.data() + at + label.size();
    std::uint64_t mask = 0;
    std::from_chars(begin, status.data() + status.size(), mask, 16);
    return mask;
}

std::optional<std::uint64_t> flat_value_at(int dir, const char* name, std::string_view key) {
    const auto text = read_file_at(dir, name);
    return text ? flat_value(*text, key) : std::nullopt;
}

void write_file_at(int dir, const char* name, std::string_view text, const std::string& what) {
    const UniqueFd fd(must(::openat(dir, name, O_WRONLY | O_CLOEXEC), what));
    must(::write(fd.get(), text.data(), text.size()), what);
}

}  // namespace mydocker::runtime
