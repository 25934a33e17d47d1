// mydocker-files: what mydockerd runs, once for each request, to read or write files of a container
// that it does not trust. It enters the container's root first, so every path and every symbolic
// link means what it means inside, and a stuck or crashed copy is nobody else's.
//
//   mydocker-files pack ENTRY FLAGS PATH [HIDDEN...]     PATH as tar on stdout; L: follow a link
//   mydocker-files unpack ENTRY FLAGS PATH [HIDDEN...]   tar on stdin; a: owners, n: as named
//   mydocker-files export ENTRY                          the whole root, nothing mounted on it
//   mydocker-files changes                               of the layers 3 (upper) and 4, as JSON
//
// ENTRY says what descriptor 3 is: "namespace" the pidfd of a running container's init, "mount" the
// detached mount of a container at rest. FLAGS is letters or "-". HIDDEN are mount points of what
// is not mounted. Exit codes are TreeError::Kind, with one line on stderr, and then nothing stood
// on stdout if it could not even begin.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "tools/files/changes.hpp"
#include "tools/files/enter.hpp"
#include "tools/files/pack.hpp"
#include "tools/files/tree_error.hpp"
#include "tools/files/unpack.hpp"

namespace {

using namespace mydocker::files;

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) fail(errno, "write to mydockerd");
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
}

std::size_t read_some(char* bytes, std::size_t size) {
    for (;;) {
        const ssize_t count = ::read(STDIN_FILENO, bytes, size);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR) fail(errno, "read from mydockerd");
    }
}

void enter(std::string_view entry) {
    if (entry == "namespace")
        enter_namespace(3);
    else if (entry == "mount")
        enter_mount(3);
    else
        throw TreeError(TreeError::Kind::failed, "there is no entry by " + std::string(entry));
}

// Paths of a container are absolute, "etc" is "/etc".
std::string absolute(const std::string& path) { return path.starts_with('/') ? path : "/" + path; }

// A JSON string; bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const std::size_t size = byte < 0x80                    ? 1
                                 : byte >= 0xc2 && byte <= 0xdf ? 2
                                 : byte >= 0xe0 && byte <= 0xef ? 3
                                 : byte >= 0xf0 && byte <= 0xf4 ? 4
                                                                : 0;
        bool good = size > 0 && i + size <= text.size();
        for (std::size_t j = 1; good && j < size; ++j)
            good = (static_cast<unsigned char>(text[i + j]) & 0xc0) == 0x80;
        if (good && size >= 3) {  // overlong forms, surrogates, beyond U+10FFFF
            const auto second = static_cast<unsigned char>(text[i + 1]);
            good = !(byte == 0xe0 && second < 0xa0) && !(byte == 0xed && second > 0x9f) &&
                   !(byte == 0xf0 && second < 0x90) && !(byte == 0xf4 && second > 0x8f);
        }
        if (!good) {
            out += "\xef\xbf\xbd";
            ++i;
            continue;
        }
        if (byte < 0x20 || byte == 0x7f) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", byte);
            out += escape;
        } else {
            if (byte == '"' || byte == '\\') out += '\\';
            out += text.substr(i, size);
        }
        i += size;
    }
    return out + '"';
}

void print_changes() {
    constexpr std::size_t enough = 32UL << 10;
    std::string text = "[";
    find_changes(3, 4, [&](char kind, const std::string& path) {
        if (text != "[") text += ",\n";
        text += std::string(R"({"kind":")") + kind + R"(","path":)" + json_string(path) + "}";
        if (text.size() < enough) return;
        write_all(STDOUT_FILENO, text);
        text = "\n";  // no longer the beginning
    });
    write_all(STDOUT_FILENO, text + "]\n");
}

int perform(const std::vector<std::string>& words) {
    const std::string action = words.empty() ? "" : words[0];
    const auto to_stdout = [](std::string_view bytes) { write_all(STDOUT_FILENO, bytes); };
    prepare();
    if (action == "changes" && words.size() == 1) {
        print_changes();
        return 0;
    }
    if (action == "export" && words.size() == 2) {
        enter(words[1]);
        if (words[1] == "namespace") leave_submounts();
        pack("/", {}, to_stdout);
        return 0;
    }
    if (words.size() < 4 || (action != "pack" && action != "unpack"))
        throw TreeError(TreeError::Kind::failed, "mydocker-files is for mydockerd's use only");
    enter(words[1]);
    const auto flag = [&](char letter) { return words[2].find(letter) != std::string::npos; };
    const std::string path = absolute(words[3]);
    const std::vector<std::string> hidden(words.begin() + 4, words.end());
    if (action == "pack") {
        refuse_hidden(path, hidden);
        pack(path, {.follow = flag('L')}, to_stdout);
        return 0;
    }
    const Unpacked done = unpack(
        path, {.as_named = flag('n'), .keep_owner = flag('a'), .hostile = false, .hidden = hidden},
        read_some);
    // Behind a tar's end stands its padding: whoever sends it must get rid of it.
    for (char rest[4096]; read_some(rest, sizeof rest) > 0;) {
    }
    if (done.left_out > 0)
        write_all(STDERR_FILENO, std::to_string(done.left_out) + " device nodes were left out\n");
    return 0;
}

int run(const std::vector<std::string>& words) {
    try {
        return perform(words);
    } catch (const TreeError& error) {
        ::dprintf(STDERR_FILENO, "%s\n", error.what());
        return static_cast<int>(error.kind());
    } catch (const std::exception& error) {
        ::dprintf(STDERR_FILENO, "%s\n", error.what());
        return static_cast<int>(TreeError::Kind::failed);
    }
}

}  // namespace

// Nothing is left to be done at the end, least of all by handlers that might look for files.
int main(int argc, char** argv) { ::_exit(run({argv + 1, argv + argc})); }
