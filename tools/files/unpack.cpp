// See unpack.hpp.
#include "tools/files/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <exception>
#include <optional>

#include "tools/files/archive.hpp"
#include "tools/files/tree_error.hpp"

namespace mydocker::files {

namespace {

using Kind = TreeError::Kind;

// "./a//b/" is "a/b", "." is ""; nullopt for what goes up. A leading slash is left out, as tar(1)
// does.
std::optional<std::string> clean(std::string_view path) {
    std::string result;
    while (!path.empty()) {
        const std::string_view part = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), part.size() + 1));
        if (part.empty() || part == ".") continue;
        if (part == "..") return std::nullopt;
        if (!result.empty()) result += '/';
        result += part;
    }
    return result;
}

// Where the stream's one tree goes: as `name` in the directory `parent`; "." is `parent` itself.
struct Place {
    std::string parent;
    std::string name;
};

Place in_directory(const std::string& directory, const std::string& name, bool is_directory) {
    if (name.empty()) return {directory, "."};
    struct stat status {};
    const std::string path = directory + "/" + name;
    if (::lstat(path.c_str(), &status) == 0 && !S_ISLNK(status.st_mode) &&
        S_ISDIR(status.st_mode) != is_directory)
        throw TreeError(Kind::conflict, is_directory
                                            ? path + " is no directory, the source is one"
                                            : path + " is a directory, the source is none");
    return {directory, name};
}

// docker-cp(1): an existing directory gets the tree as its own name, or only what is in it
// ("dir/."); a file is overwritten by a file; else it is made under that name.
Place place_of(const std::string& destination, const std::string& name, bool is_directory) {
    struct stat status {};
    if (::stat(destination.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return in_directory(destination, name, is_directory);
        if (is_directory)
            throw TreeError(Kind::conflict, destination + " is no directory, the source is one");
    } else if (errno != ENOENT) {
        fail(errno, "look at " + destination);
    } else if (destination.ends_with('/') && !is_directory) {
        throw TreeError(Kind::not_found, "there is no directory " + destination);
    }
    const std::string path = real_path(destination);
    const std::size_t slash = path.find_last_of('/');
    const Place place{path.substr(0, slash == 0 ? 1 : slash), path.substr(slash + 1)};
    if (::stat(place.parent.c_str(), &status) < 0 || !S_ISDIR(status.st_mode))
        throw TreeError(Kind::not_found, "there is no directory " + place.parent);
    return place;
}

class Unpacker {
public:
    Unpacker(const UnpackOptions& options, const ByteSource& source)
        : options_(options), source_(source), buffer_(64UL << 10) {
        in_.reset(::archive_read_new());
        ::archive_read_support_format_tar(in_.get());
        if (options.as_named) {
            ::archive_read_support_filter_gzip(in_.get());
            ::archive_read_support_filter_xz(in_.get());
            ::archive_read_support_filter_zstd(in_.get());
        }
        out_.reset(::archive_write_disk_new());
        int flags = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                    ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;
        if (options.keep_owner) flags |= ARCHIVE_EXTRACT_OWNER;
        if (options.hostile) flags |= ARCHIVE_EXTRACT_SECURE_SYMLINKS;
        if (options.keep_owner && !options.hostile) flags |= ARCHIVE_EXTRACT_XATTR;
        ::archive_write_disk_set_options(out_.get(), flags);
    }

    Unpacked run(const std::string& destination) {
        must_read(::archive_read_open(in_.get(), this, nullptr, read_block, nullptr));
        while (archive_entry* entry = next()) {
            if (result_.entries++ == 0) settle(destination, entry);
            if (rename(entry)) write(entry);
        }
        if (result_.entries == 0) throw TreeError(Kind::failed, "the tar stream is empty");
        // Directories' modes and times.
        if (::archive_write_close(out_.get()) < ARCHIVE_WARN) fail_writing(destination);
        return result_;
    }

private:
    static la_ssize_t read_block(archive* handle, void* self, const void** bytes);
    archive_entry* next();
    void settle(const std::string& destination, archive_entry* first);
    std::string new_name(const char* path) const;
    bool rename(archive_entry* entry);
    void write(archive_entry* entry);
    void must_read(int result);
    [[noreturn]] void fail_writing(const std::string& path);

    const UnpackOptions& options_;
    const ByteSource& source_;
    std::exception_ptr failure_;  // the source's, on its way through libarchive
    std::vector<char> buffer_;
    ArchivePtr in_;
    ArchivePtr out_;
    std::string root_;  // the first part of every name in the stream; "": they have none in common
    std::string name_;  // what stands in its place
    Unpacked result_;
};

la_ssize_t Unpacker::read_block(archive* handle, void* self, const void** bytes) {
    auto* unpacker = static_cast<Unpacker*>(self);
    try {
        *bytes = unpacker->buffer_.data();
        return static_cast<la_ssize_t>(
            unpacker->source_(unpacker->buffer_.data(), unpacker->buffer_.size()));
    } catch (...) {
        unpacker->failure_ = std::current_exception();
        ::archive_set_error(handle, EIO, "the writer has failed");
        return -1;
    }
}

void Unpacker::must_read(int result) {
    if (failure_) std::rethrow_exception(failure_);
    if (result >= ARCHIVE_WARN) return;
    throw TreeError(Kind::failed,
                    std::string("read the tar stream: ") + ::archive_error_string(in_.get()));
}

void Unpacker::fail_writing(const std::string& path) {
    const int error = ::archive_errno(out_.get());
    const char* text = ::archive_error_string(out_.get());
    throw TreeError(error == ENOTDIR ? Kind::conflict : Kind::failed,
                    "write " + path + ": " + (text != nullptr ? text : "failed") +
                        (error > 0 ? std::string(": ") + std::strerror(error) : ""));
}

archive_entry* Unpacker::next() {
    archive_entry* entry = nullptr;
    const int result = ::archive_read_next_header(in_.get(), &entry);
    if (result == ARCHIVE_EOF) return nullptr;
    must_read(result);
    return entry;
}

void Unpacker::settle(const std::string& destination, archive_entry* first) {
    if (options_.as_named) {
        struct stat status {};
        if (::stat(destination.c_str(), &status) < 0) fail(errno, "open " + destination);
        if (!S_ISDIR(status.st_mode)) fail(ENOTDIR, "open " + destination);
        refuse_hidden(destination, options_.hidden);
        if (::chdir(destination.c_str()) < 0) fail(errno, "open " + destination);
        return;
    }
    const char* path = ::archive_entry_pathname(first);
    const auto name = clean(path == nullptr ? ".." : path);
    if (!name || name->find('/') != std::string::npos)
        throw TreeError(Kind::failed, "the tar stream does not begin with its root");
    const Place place = place_of(destination, *name, ::archive_entry_filetype(first) == AE_IFDIR);
    refuse_hidden((place.parent == "/" ? "" : place.parent) + "/" + place.name, options_.hidden);
    if (::chdir(place.parent.c_str()) < 0) fail(errno, "open " + place.parent);
    root_ = *name;
    name_ = place.name;
}

// A name of the stream as it is to be here, relative; throws for one that is no part of the tree.
std::string Unpacker::new_name(const char* path) const {
    const auto refuse = [&] {
        throw TreeError(Kind::failed,
                        std::string("the tar stream holds a name outside its root: ") +
                            (path == nullptr ? "(none)" : path));
    };
    auto cleaned = clean(path == nullptr ? ".." : path);
    if (!cleaned) refuse();
    if (!root_.empty()) {
        if (!cleaned->starts_with(root_) ||
            (cleaned->size() > root_.size() && (*cleaned)[root_.size()] != '/'))
            refuse();
        cleaned->erase(0, std::min(cleaned->size(), root_.size() + 1));
    }
    if (options_.as_named || name_ == ".") return *cleaned;
    return cleaned->empty() ? name_ : name_ + "/" + *cleaned;
}

// False for an entry that is not to be made.
bool Unpacker::rename(archive_entry* entry) {
    const auto type = ::archive_entry_filetype(entry);
    const char* link = ::archive_entry_hardlink(entry);
    if (link == nullptr && (type == AE_IFCHR || type == AE_IFBLK)) {
        ++result_.left_out;
        return false;
    }
    if (link != nullptr) {
        const std::string target = new_name(link);  // a copy first: `link` is the entry's own
        ::archive_entry_set_hardlink(entry, target.c_str());
    }
    const std::string name = new_name(::archive_entry_pathname(entry));
    if (name.empty()) return false;  // the destination itself, which exists and stays as it is
    ::archive_entry_set_pathname(entry, name.c_str());
    if (!options_.keep_owner || options_.hostile) {
        ::archive_entry_set_perm(entry, ::archive_entry_perm(entry) & ~(S_ISUID | S_ISGID));
    }
    return true;
}

void Unpacker::write(archive_entry* entry) {
    const std::string name = ::archive_entry_pathname(entry);
    if (::archive_write_header(out_.get(), entry) < ARCHIVE_WARN) fail_writing(name);
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
        const int result = ::archive_read_data_block(in_.get(), &bytes, &size, &offset);
        if (result == ARCHIVE_EOF) break;
        must_read(result);
        // A full disk is but a warning there.
        if (size > 0 && ::archive_entry_size(entry) > 0 &&
            ::archive_write_data_block(out_.get(), bytes, size, offset) < ARCHIVE_OK)
            fail_writing(name);
    }
    if (::archive_write_finish_entry(out_.get()) < ARCHIVE_WARN) fail_writing(name);
}

}  // namespace

Unpacked unpack(const std::string& destination, const UnpackOptions& options,
                const ByteSource& source) {
    const Utf8Names utf8;
    return Unpacker(options, source).run(destination);
}

std::string real_path(const std::string& path) {
    char real[PATH_MAX];
    if (::realpath(path.c_str(), real) != nullptr) return real;
    if (errno != ENOENT) fail(errno, "find " + path);
    std::string name = path;
    while (name.size() > 1 && name.ends_with('/')) name.pop_back();
    const std::size_t slash = name.find_last_of('/');
    std::string parent = slash == std::string::npos ? "." : name.substr(0, slash + 1);
    name = slash == std::string::npos ? name : name.substr(slash + 1);
    if (name.empty() || name == "." || name == ".." || ::realpath(parent.c_str(), real) == nullptr)
        throw TreeError(Kind::not_found, "there is no directory " + parent);
    const std::string found = real;
    return found == "/" ? "/" + name : found + "/" + name;
}

void refuse_hidden(const std::string& path, const std::vector<std::string>& hidden) {
    if (hidden.empty()) return;
    const std::string real = real_path(path);
    for (const std::string& each : hidden) {
        std::string place;
        try {
            place = real_path(each);
        } catch (const TreeError&) {
            place = each;  // not made yet
        }
        if (real == place || real.starts_with(place + "/"))
            throw TreeError(Kind::conflict,
                            path + " lies in the volume " + each +
                                ", which is mounted only while the container runs: start it, or "
                                "use the volume's source on the host");
    }
}

}  // namespace mydocker::files
