// See snapshots.hpp.
#include "supervisor/snapshots.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/error.hpp"
#include "runtime/kernel_file.hpp"
#include "supervisor/failpoint/failpoint.hpp"

namespace mydocker::supervisor {

namespace fs = std::filesystem;
using runtime::must;

namespace {

constexpr std::string_view ending = ".json";
constexpr std::size_t largest_file = 256 << 10;  // bytes; one is of a few kilobytes

fs::path runtime_root_in(const fs::path& state_dir) { return state_dir / "containers"; }

// Throws std::system_error; std::length_error where it is too large.
std::string contents_of(int directory, const std::string& name, FileVersion& version) {
    const runtime::UniqueFd fd(
        must(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW), "open"));
    struct stat info {};
    must(::fstat(fd.get(), &info), "look at it");
    version = FileVersion(info);
    if (static_cast<std::size_t>(info.st_size) > largest_file)
        throw std::length_error("it is larger than 256 KiB");
    std::string text(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
        const ssize_t got = ::read(fd.get(), text.data() + filled, text.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        must(got, "read");
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    text.resize(filled);
    return text;
}

}  // namespace

Snapshots::Snapshots(const fs::path& state_dir, std::string boot_id)
    : root_(runtime_root_in(state_dir)), boot_id_(std::move(boot_id)) {
    std::error_code error;
    fs::create_directories(root_, error);
    if (error) throw std::system_error(error, "make " + root_.string());
    must(::chmod(root_.c_str(), 0700), "protect " + root_.string());
    directory_.reset(
        must(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open " + root_.string()));
}

Snapshots::Found Snapshots::look() const {
    Found found;
    for (const auto& entry : fs::directory_iterator(root_)) {
        const std::string name = entry.path().filename();
        if (name.ends_with(".new")) found.useless.push_back(name);  // a write that was not finished
        if (!name.ends_with(ending)) continue;
        const auto now = [&] { return FileVersion::of(directory_.get(), name); };
        try {
            FileVersion version;
            auto snapshot = known_.take(name, now);
            const bool is_known = snapshot.has_value();
            if (!is_known)
                snapshot = decode_snapshot(contents_of(directory_.get(), name, version), boot_id_);
            if (!snapshot) {
                found.useless.push_back(name);
                continue;
            }
            if (snapshot->id + std::string(ending) != name)
                throw std::runtime_error("its id is another's");
            std::string id = snapshot->id;
            if (!is_known) found.versions.emplace(id, version);
            found.snapshots.emplace(std::move(id), std::move(*snapshot));
        } catch (const ForeignVersion& version) {
            throw at_path(path_of(name), version, "it");
        } catch (const std::system_error& error) {
            // A mydockerd that is still at work has removed it meanwhile.
            if (error.code().value() == ENOENT) continue;
            runtime::fail(error.code().value(), "read " + path_of(name));
        } catch (const std::exception& error) {
            found.broken.emplace_back(name, error.what());
        }
    }
    return found;
}

void Snapshots::keep(Found found) {
    for (auto& [id, snapshot] : found.snapshots)
        known_.put(id + std::string(ending), found.versions[id], std::move(snapshot));
}

bool Snapshots::is_of(const fs::path& state_dir) const { return root_ == runtime_root_in(state_dir); }

std::map<std::string, Snapshot> Snapshots::load(std::vector<std::string>& problems) const {
    Found found = look();
    known_.clear();
    for (const std::string& name : found.useless) ::unlinkat(directory_.get(), name.c_str(), 0);
    for (const auto& [name, why] : found.broken) {
        const std::string aside = name + ".corrupt";
        const bool moved =
            ::renameat(directory_.get(), name.c_str(), directory_.get(), aside.c_str()) == 0;
        problems.push_back(path_of(name) + ": " + why + "; " +
                           (moved ? "set aside as " + aside : "it cannot be set aside"));
    }
    return std::move(found.snapshots);
}

void Snapshots::save(const Snapshot& snapshot) const {
    const std::string name = snapshot.id + std::string(ending);
    const std::string temporary = name + ".new";
    const std::string text = encode(snapshot, boot_id_);
    const auto check = [&](bool good) {
        if (good) return;
        const int error = errno;
        ::unlinkat(directory_.get(), temporary.c_str(), 0);
        runtime::fail(error, "write " + path_of(name));
    };
    {
        const runtime::UniqueFd fd(::openat(directory_.get(), temporary.c_str(),
                                            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        check(fd.get() >= 0);
        const ssize_t written = ::write(fd.get(), text.data(), text.size());
        if (written >= 0) errno = ENOSPC;  // of a short one
        check(written == static_cast<ssize_t>(text.size()));
    }
    failpoint("snapshot.written");
    check(::renameat(directory_.get(), temporary.c_str(), directory_.get(), name.c_str()) == 0);
    failpoint("snapshot.renamed");
}

void Snapshots::forget(const std::string& id) const {
    const std::string name = id + std::string(ending);
    if (::unlinkat(directory_.get(), name.c_str(), 0) < 0 && errno != ENOENT)
        runtime::fail(errno, "remove " + path_of(name));
    ::unlinkat(directory_.get(), (name + ".corrupt").c_str(), 0);
}

std::string boot_id() {
    constexpr auto file = "/proc/sys/kernel/random/boot_id";
    std::string id = runtime::read_file_at(AT_FDCWD, file).value_or("");
    while (id.ends_with('\n')) id.pop_back();
    if (id.empty()) throw std::runtime_error(std::string("cannot read ") + file);
    return id;
}

}  // namespace mydocker::supervisor
