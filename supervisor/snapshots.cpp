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

// Throws std::system_error; std::length_error where it is too large.
std::string contents_of(int directory, const std::string& name) {
    const runtime::UniqueFd fd(
        must(::openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW), "open"));
    struct stat info {};
    must(::fstat(fd.get(), &info), "look at it");
    if (static_cast<std::size_t>(info.st_size) > largest_file)
        throw std::length_error("it is larger than 256 KiB");
    std::string text(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
        const ssize_t got =
            must(::read(fd.get(), text.data() + filled, text.size() - filled), "read");
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    text.resize(filled);
    return text;
}

}  // namespace

Snapshots::Snapshots(const fs::path& state_dir, std::string boot_id)
    : root_(state_dir / "containers"), boot_id_(std::move(boot_id)) {
    std::error_code error;
    fs::create_directories(root_, error);
    if (error) throw std::system_error(error, "make " + root_.string());
    must(::chmod(root_.c_str(), 0700), "protect " + root_.string());
    directory_.reset(
        must(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open " + root_.string()));
}

std::map<std::string, Snapshot> Snapshots::load(std::vector<std::string>& problems) const {
    std::map<std::string, Snapshot> snapshots;
    std::vector<std::string> useless;
    std::vector<std::pair<std::string, std::string>> broken;  // and why
    for (const auto& entry : fs::directory_iterator(root_)) {
        const std::string name = entry.path().filename();
        if (name.ends_with(".new")) useless.push_back(name);  // a write that was not finished
        if (!name.ends_with(ending)) continue;
        try {
            auto snapshot = decode_snapshot(contents_of(directory_.get(), name), boot_id_);
            if (!snapshot) {
                useless.push_back(name);
                continue;
            }
            if (snapshot->id + std::string(ending) != name)
                throw std::runtime_error("its id is another's");
            std::string id = snapshot->id;
            snapshots.emplace(std::move(id), std::move(*snapshot));
        } catch (const ForeignVersion& version) {
            throw at_path(path_of(name), version, "it");
        } catch (const std::exception& error) {
            broken.emplace_back(name, error.what());
        }
    }
    for (const std::string& name : useless) ::unlinkat(directory_.get(), name.c_str(), 0);
    for (const auto& [name, why] : broken) {
        const std::string aside = name + ".corrupt";
        const bool moved =
            ::renameat(directory_.get(), name.c_str(), directory_.get(), aside.c_str()) == 0;
        problems.push_back(path_of(name) + ": " + why + "; " +
                           (moved ? "set aside as " + aside : "it cannot be set aside"));
    }
    return snapshots;
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
