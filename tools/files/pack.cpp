// See pack.hpp.
#include "tools/files/pack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "tools/files/archive.hpp"
#include "tools/files/directory.hpp"
#include "tools/files/tree_error.hpp"

namespace mydocker::files {

namespace {

constexpr std::size_t block = 64UL << 10;
constexpr std::size_t most_hard_links = 1 << 16;  // files remembered; further ones are copied twice
constexpr const char* capability_attribute = "security.capability";

class Fd {
public:
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

struct EntryFree {
    void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};
using EntryPtr = std::unique_ptr<archive_entry, EntryFree>;

class Packer {
public:
    Packer(const ByteSink& sink, std::string top, std::size_t root_size)
        : sink_(sink), top_(std::move(top)), root_size_(root_size), buffer_(256UL << 10) {
        archive_.reset(::archive_write_new());
        // Plain ustar headers, extended ones only where a name or number needs it.
        ::archive_write_set_format_pax_restricted(archive_.get());
        ::archive_write_set_bytes_per_block(archive_.get(), block);
        ::archive_write_set_bytes_in_last_block(archive_.get(), 1);
        must(::archive_write_open(archive_.get(), this, nullptr, write_block, nullptr));
    }
    // Closing writes the end of the stream; half a stream must not get one.
    ~Packer() { open_ = false; }
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;

    // The entry `name` of the directory `parent`, as `path` in the tar. False where it has gone.
    bool add(int parent, const char* name, const std::string& path, bool follow, int depth);
    void finish() { must(::archive_write_close(archive_.get())); }

private:
    static la_ssize_t write_block(archive* handle, void* self, const void* bytes, size_t size);
    void must(int result);
    archive_entry* entry_of(const struct stat& status, const std::string& path);
    void add_file(int fd, const struct stat& status, const std::string& path);
    void add_directory(int fd, const struct stat& status, const std::string& path, int depth);
    void add_capabilities(int fd);
    void put_header();

    // As people know it: the path that was asked for instead of the tar's root.
    std::string shown(const std::string& path) const { return top_ + path.substr(root_size_); }

    const ByteSink& sink_;
    std::string top_;
    std::size_t root_size_;
    std::exception_ptr failure_;  // the sink's, on its way through libarchive
    ArchivePtr archive_;
    EntryPtr entry_{::archive_entry_new()};
    std::vector<char> buffer_;
    std::map<std::pair<dev_t, ino_t>, std::string> linked_;
    bool open_ = true;
};

la_ssize_t Packer::write_block(archive* handle, void* self, const void* bytes, size_t size) {
    auto* packer = static_cast<Packer*>(self);
    if (!packer->open_) return static_cast<la_ssize_t>(size);
    try {
        packer->sink_({static_cast<const char*>(bytes), size});
        return static_cast<la_ssize_t>(size);
    } catch (...) {
        packer->failure_ = std::current_exception();
        ::archive_set_error(handle, EIO, "the reader has failed");
        return -1;
    }
}

void Packer::must(int result) {
    if (failure_) std::rethrow_exception(failure_);
    if (result >= ARCHIVE_WARN) return;  // a warning: a name that is no UTF-8 is stored as it is
    throw TreeError(TreeError::Kind::failed,
                    std::string("write a tar stream: ") + ::archive_error_string(archive_.get()));
}

archive_entry* Packer::entry_of(const struct stat& status, const std::string& path) {
    ::archive_entry_clear(entry_.get());
    ::archive_entry_copy_stat(entry_.get(), &status);
    ::archive_entry_set_pathname(entry_.get(), path.c_str());
    return entry_.get();
}

void Packer::put_header() { must(::archive_write_header(archive_.get(), entry_.get())); }

// What lets a program such as ping do its one privileged thing (capabilities(7)).
void Packer::add_capabilities(int fd) {
    char value[64];
    const ssize_t size = ::fgetxattr(fd, capability_attribute, value, sizeof value);
    if (size > 0)
        ::archive_entry_xattr_add_entry(entry_.get(), capability_attribute, value,
                                        static_cast<std::size_t>(size));
}

void Packer::add_file(int fd, const struct stat& status, const std::string& path) {
    archive_entry* entry = entry_of(status, path);
    if (status.st_nlink > 1) {
        const std::pair inode{status.st_dev, status.st_ino};
        if (const auto first = linked_.find(inode); first != linked_.end()) {
            ::archive_entry_set_hardlink(entry, first->second.c_str());
            ::archive_entry_set_size(entry, 0);
            return put_header();
        }
        if (linked_.size() < most_hard_links) linked_.emplace(inode, path);
    }
    add_capabilities(fd);
    put_header();
    // As many bytes as were announced: libarchive fills up with zeros what has been cut off since.
    for (auto left = static_cast<std::uint64_t>(status.st_size); left > 0;) {
        const ssize_t size =
            ::read(fd, buffer_.data(), std::min<std::uint64_t>(left, buffer_.size()));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) fail(errno, "read " + shown(path));
        if (size == 0) break;
        const la_ssize_t written =
            ::archive_write_data(archive_.get(), buffer_.data(), static_cast<std::size_t>(size));
        must(written < 0 ? static_cast<int>(written) : ARCHIVE_OK);
        left -= static_cast<std::uint64_t>(size);
    }
}

void Packer::add_directory(int fd, const struct stat& status, const std::string& path, int depth) {
    if (depth >= deepest)
        throw TreeError(TreeError::Kind::failed,
                        shown(path) + ": over " + std::to_string(deepest) + " directories deep");
    entry_of(status, path + "/");
    put_header();
    const Directory directory(::fdopendir(fd));
    if (!directory) {
        ::close(fd);
        fail(errno, "read the directory " + shown(path));
    }
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get());
        if (entry == nullptr) break;
        const std::string name = entry->d_name;
        if (name != "." && name != "..")
            add(::dirfd(directory.get()), name.c_str(), path + "/" + name, false, depth + 1);
    }
    if (errno != 0 && errno != ENOENT) fail(errno, "read the directory " + shown(path));
}

// Whether an entry that was there a moment ago has been removed or replaced since.
bool has_gone(int error) {
    return error == ENOENT || error == ELOOP || error == ENOTDIR || error == ESTALE ||
           error == ENXIO || error == ENODEV;
}

bool Packer::add(int parent, const char* name, const std::string& path, bool follow, int depth) {
    struct stat status {};
    if (::fstatat(parent, name, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT) return false;
        fail(errno, "look at " + shown(path));
    }
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
        // Not blocking: by now it may be a FIFO.
        const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW) |
                          (S_ISDIR(status.st_mode) ? O_DIRECTORY : 0);
        Fd fd(::openat(parent, name, flags));
        if (fd.get() < 0) {
            if (has_gone(errno)) return false;
            fail(errno, "open " + shown(path));
        }
        const mode_t type = status.st_mode & S_IFMT;
        if (::fstat(fd.get(), &status) < 0 || (status.st_mode & S_IFMT) != type) return false;
        if (S_ISDIR(type))
            add_directory(fd.release(), status, path, depth);
        else
            add_file(fd.get(), status, path);
        return true;
    }
    if (S_ISSOCK(status.st_mode)) return true;  // tar has none: it means nothing without its server
    archive_entry* entry = entry_of(status, path);
    if (S_ISLNK(status.st_mode)) {
        char target[PATH_MAX];
        const ssize_t size = ::readlinkat(parent, name, target, sizeof target - 1);
        if (size < 0) return false;
        ::archive_entry_set_size(entry, 0);
        ::archive_entry_set_symlink(entry,
                                    std::string(target, static_cast<std::size_t>(size)).c_str());
    }
    put_header();
    return true;
}

}  // namespace

std::string root_name(const std::string& path) {
    const std::size_t last = path.find_last_not_of('/');
    if (last == std::string::npos) return ".";  // "/" or ""
    const std::size_t slash = path.find_last_of('/', last);
    std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1,
                                   last - (slash == std::string::npos ? 0 : slash + 1) + 1);
    if (name != "..") return name;
    char real[PATH_MAX];
    if (::realpath(path.c_str(), real) == nullptr) fail(errno, "find " + path);
    return root_name(real);
}

void pack(const std::string& path, const PackOptions& options, const ByteSink& sink) {
    const Utf8Names utf8;
    const std::string name = root_name(path);
    Packer packer(sink, path, name.size());
    // "link/" is the directory that the link leads to, as everywhere.
    const bool follow = options.follow || path.ends_with('/');
    if (!packer.add(AT_FDCWD, path.empty() ? "." : path.c_str(), name, follow, 0))
        throw TreeError(TreeError::Kind::not_found, "there is no " + path);
    packer.finish();
}

}  // namespace mydocker::files
