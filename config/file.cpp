// Reading of the files that host files name.
#include "config/file.hpp"

#include <glob.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <system_error>

#include "config/word_codec.hpp"

namespace mydocker::config {

FileText read_text(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        return {"", error ? error.message() : std::generic_category().message(ENOENT)};
    }
    if (std::filesystem::is_directory(status)) return {"", "a directory"};
    if (!std::filesystem::is_regular_file(status)) return {"", "not a regular file"};
    errno = 0;
    std::ifstream stream{path, std::ios::binary};
    if (!stream) return {"", std::generic_category().message(errno)};
    // One byte more than is allowed shows that there is more; sizes from stat(2) may be stale.
    std::string text(most_bytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad()) return {"", "reading failed"};
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.size() > most_bytes) return {"", "larger than 1 MiB"};
    return {std::move(text), ""};
}

bool is_pattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

std::vector<std::string> matches(const std::string& pattern) {
    glob_t found{};
    const std::unique_ptr<glob_t, void (*)(glob_t*)> owner{&found, &globfree};
    if (glob(pattern.c_str(), 0, nullptr, &found) != 0) return {};
    return {found.gl_pathv, found.gl_pathv + found.gl_pathc};
}

bool read_env_file(const Value& at, const std::filesystem::path& path,
                   std::map<std::string, std::string>& into) {
    const auto [text, error] = read_text(path);
    if (!error.empty()) return at.problem("cannot read " + in_quotes(path.string()) + ": " + error);
    std::string_view rest = text;
    if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
    bool fine = true;
    for (unsigned line = 1; !rest.empty(); ++line) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view words = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (words.ends_with('\r')) words.remove_suffix(1);
        words.remove_prefix(std::min(words.find_first_not_of(" \t\v\f"), words.size()));
        if (words.empty() || words.front() == '#') continue;
        const std::size_t equals = words.find('=');
        const std::string_view name = words.substr(0, equals);
        std::string objection = bad_variable(name);
        if (objection.empty() && name.find_first_of(" \t\v\f") != std::string_view::npos) {
            objection = "blanks in the name " + in_quotes(name);
        } else if (objection.empty() && equals == std::string_view::npos) {
            objection = "expected KEY=VALUE, got " + in_quotes(words);
        } else if (words.find('\0') != std::string_view::npos) {
            objection = "contains a NUL byte";
        } else if (!is_utf8(words)) {
            objection = "not UTF-8";
        }
        if (!objection.empty()) {
            at.report().problems.push_back({path.string(), line, 1, at.key(), objection, ""});
            fine = false;
            continue;
        }
        into[std::string{name}] = words.substr(equals + 1);
    }
    return fine;
}

}  // namespace mydocker::config
