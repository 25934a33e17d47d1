// cp, export and diff: a container's files. Where a tree goes is decided at its destination, by the
// same rules on both sides (tools/files/unpack.hpp); what comes out of a container is not trusted.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/transfer.hpp"
#include "tools/ctl/upload.hpp"
#include "tools/files/pack.hpp"
#include "tools/files/tree_error.hpp"
#include "tools/files/unpack.hpp"

namespace mydocker::ctl {

namespace {

// docker cp's words: "NAME:PATH" is a container's, what begins with "/" or "." is always ours, "-"
// is a tar stream.
struct Place {
    std::string container;  // "": here
    std::string path;
    std::string text;
};

Place parse_place(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (text.empty() || text.front() == '/' || text.front() == '.' || colon == std::string::npos)
        return {"", text, text};
    if (colon + 1 == text.size())
        throw UsageError("'" + text + "' names no path; the container's root is '" + text + "/'");
    return {text.substr(0, colon), text.substr(colon + 1), text};
}

std::string archive_target(const Place& place, const std::string& flags) {
    return container_path(place.container, "archive") + "?path=" + percent_encode(place.path) +
           flags;
}

void refuse_terminal(int fd, const char* what) {
    if (::isatty(fd) == 1)
        throw UsageError(std::string("the tar stream will not go through a terminal; ") + what);
}

int copy_out(const Context& context, const Place& from, const Place& to) {
    const Arguments& arguments = context.arguments;
    if (to.path == "-") refuse_terminal(STDOUT_FILENO, "redirect standard output");
    ByteProgress progress("copying " + from.text, context.output.quiet);
    Download download(context.client,
                      archive_target(from, arguments.has("follow-link") ? "&follow=1" : ""),
                      progress);
    if (to.path == "-") {
        for (auto piece = download.next(); !piece.empty(); piece = download.next())
            write_out(piece);
        return 0;
    }
    std::string_view piece;
    const auto source = [&](char* bytes, std::size_t size) {
        if (piece.empty()) piece = download.next();
        const std::size_t count = piece.copy(bytes, size);
        piece.remove_prefix(count);
        return count;
    };
    const files::Unpacked done =
        files::unpack(to.path, {.keep_owner = arguments.has("archive")}, source);
    // Also what comes behind the stream's end: whether it was the whole answer.
    while (!download.next().empty()) {
    }
    if (done.left_out > 0)
        write_error("mydocker-ctl: cp: " + std::to_string(done.left_out) +
                    " device nodes were left out\n");
    return 0;
}

int copy_in(const Context& context, const Place& from, const Place& to) {
    const Arguments& arguments = context.arguments;
    const bool is_stream = from.path == "-";
    if (is_stream) refuse_terminal(STDIN_FILENO, "redirect standard input");
    if (!is_stream && ::access(from.path.c_str(), F_OK) < 0 && errno == ENOENT &&
        !std::filesystem::is_symlink(from.path))
        throw Failure("cp: there is no " + from.path);
    ByteProgress progress("copying to " + to.text, context.output.quiet);
    Upload upload(context.client,
                  archive_target(to, std::string(is_stream ? "&as_named=1" : "") +
                                         (arguments.has("archive") ? "&owner=1" : "")),
                  progress);
    if (is_stream) {
        std::vector<char> buffer(64UL << 10);
        for (;;) {
            const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0)
                throw Failure(std::string("read standard input: ") + std::strerror(errno));
            if (count == 0) break;
            upload.send({buffer.data(), static_cast<std::size_t>(count)});
        }
    } else {
        files::pack(from.path, {.follow = arguments.has("follow-link")},
                    [&](std::string_view bytes) { upload.send(bytes); });
    }
    const std::string warning = upload.finish();
    if (!warning.empty()) write_error("mydocker-ctl: cp: " + printable(warning) + '\n');
    return 0;
}

int copy(const Context& context) {
    const Place from = parse_place(context.arguments.operands[0]);
    const Place to = parse_place(context.arguments.operands[1]);
    if (from.container.empty() == to.container.empty())
        throw UsageError(from.container.empty()
                             ? "one of the two must be a container's: NAME:PATH"
                             : "from one container to another: by way of a directory here, or "
                               "'cp A:PATH - | mydocker-ctl cp - B:DIRECTORY'");
    try {
        return to.container.empty() ? copy_out(context, from, to) : copy_in(context, from, to);
    } catch (const files::TreeError& error) {
        throw Failure("cp: " + std::string(error.what()));
    } catch (const Refused& error) {
        // A path that is not there is no reason to look for containers.
        const std::string text = error.what();
        if (error.status() == 404 && text.find(": there is no ") != std::string::npos)
            throw Failure(text);
        throw;
    }
}

// A file that appears under its name only once it is whole, where it is a plain file at all.
class OutputFile {
public:
    explicit OutputFile(const std::string& path) : path_(path) {
        struct stat status {};
        const bool special = ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
        if (!special) partial_ = path + ".partial";
        fd_ = UniqueFd(::open(special ? path.c_str() : partial_.c_str(),
                              O_WRONLY | O_CREAT | O_CLOEXEC | (special ? 0 : O_TRUNC | O_NOFOLLOW),
                              0600));
        if (fd_.get() < 0) fail("open ");
    }
    ~OutputFile() {
        if (!partial_.empty()) ::unlink(partial_.c_str());
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t count = ::write(fd_.get(), bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail("write ");
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    void finish() {
        if (!partial_.empty() && ::rename(partial_.c_str(), path_.c_str()) < 0) fail("write ");
        partial_.clear();
    }

private:
    [[noreturn]] void fail(const char* what) const {
        throw Failure(what + path_ + ": " + std::strerror(errno));
    }

    std::string path_;
    std::string partial_;
    UniqueFd fd_;
};

int export_root(const Context& context) {
    const Arguments& arguments = context.arguments;
    const std::string& name = arguments.operands.front();
    const bool to_file = arguments.has("output") && arguments.get("output") != "-";
    if (!to_file) refuse_terminal(STDOUT_FILENO, "use -o FILE or redirect standard output");
    ByteProgress progress("exporting " + name, context.output.quiet);
    Download download(context.client, container_path(name, "export"), progress);
    if (!to_file) {
        for (auto piece = download.next(); !piece.empty(); piece = download.next())
            write_out(piece);
        return 0;
    }
    std::string_view piece = download.next();  // before the file is made: it may be refused
    OutputFile file(arguments.get("output"));
    for (; !piece.empty(); piece = download.next()) file.write(piece);
    file.finish();
    return 0;
}

int diff(const Context& context) {
    const Output& output = context.output;
    const std::string& name = context.arguments.operands.front();
    ByteProgress progress("comparing " + name, true);
    Download download(context.client, container_path(name, "changes"), progress);
    std::string text;
    for (auto piece = download.next(); !piece.empty(); piece = download.next()) {
        text += piece;
        if (text.size() > max_collected_bytes)
            throw Failure(name + " has more changes than fit into 64 MiB of text");
    }
    Json changes = Json::parse(text, nullptr, false);
    if (!changes.is_array()) throw Failure("mydockerd's answer is not JSON", protocol::exit_daemon);
    std::vector<Json> records(changes.begin(), changes.end());
    std::ranges::sort(records, {}, [](const Json& change) { return text_of(change, "path"); });
    if (!output.wants_table()) {
        show_records(output, records, {});
        return 0;
    }
    std::string lines;
    for (const Json& change : records)
        lines += text_of(change, "kind") + ' ' + printable(text_of(change, "path")) + '\n';
    write_out(lines);
    return 0;
}

}  // namespace

std::vector<Command> file_commands() {
    return {
        {.group = "Containers",
         .name = "cp",
         .operands = "NAME:PATH LOCAL | LOCAL NAME:PATH",
         .summary = "copy files out of a container or into it",
         .perform = copy,
         .options = {{"-a,--archive", "", "keep owners (else: yours here, root's inside)"},
                     {"-L,--follow-link", "",
                      "where the source is a symbolic link: what it means"}},
         .least_operands = 2,
         .most_operands = 2,
         .can_be_quiet = true,
         .notes =
             "An existing directory gets a copy inside it; \"DIR/.\" stands for what is in DIR.\n"
             "\"-\" as LOCAL is a tar stream on standard output or input. Running or not: of a\n"
             "container at rest, volumes are not there. Nothing that is copied out becomes a\n"
             "device or set-uid here, and no link in it is followed.\n"},
        {.group = "Containers",
         .name = "export",
         .operands = "NAME",
         .summary = "a container's whole root as a tar stream, without volumes",
         .perform = export_root,
         .options = {{"-o,--output", "FILE", "instead of standard output"}},
         .least_operands = 1,
         .most_operands = 1,
         .can_be_quiet = true},
        {.group = "Containers",
         .name = "diff",
         .operands = "NAME",
         .summary = "what a container has added (A), changed (C) and deleted (D)",
         .perform = diff,
         .least_operands = 1,
         .most_operands = 1,
         .shows_records = true},
    };
}

}  // namespace mydocker::ctl
