// See store.hpp.
#include "supervisor/store.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/error.hpp"
#include "runtime/unique_fd.hpp"
#include "supervisor/failpoint/failpoint.hpp"
#include "supervisor/state_file.hpp"

namespace mydocker::supervisor {

namespace fs = std::filesystem;
using runtime::must;

namespace {

constexpr auto file_name = "container.json";

runtime::UniqueFd open_directory(const fs::path& path) {
    return runtime::UniqueFd(
        must(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open " + path.string()));
}

void sync(const runtime::UniqueFd& fd, const fs::path& path) {
    must(::fsync(fd.get()), "sync " + path.string());
}

fs::path root_in(const fs::path& data_root) { return data_root / "containers"; }

bool is_absent(const fs::path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) < 0 && errno == ENOENT;
}

}  // namespace

Store::Store(const fs::path& data_root) : root_(root_in(data_root)) {
    std::error_code error;
    fs::create_directories(root_, error);
    if (error) throw std::system_error(error, "make " + root_.string());
    must(::chmod(root_.c_str(), 0700), "protect " + root_.string());
}

Store::Found Store::look() const {
    Found found;
    const runtime::UniqueFd root = open_directory(root_);
    found.containers.reserve(known_.size());
    for (const auto& each : fs::directory_iterator(root_)) {
        const std::string id = each.path().filename();
        const auto now = [&] { return FileVersion::of(root.get(), id + "/" + file_name); };
        if (auto known = known_.take(id, now)) {
            found.containers.push_back(std::move(*known));
            continue;
        }
        const fs::path path = each.path() / file_name;
        FileVersion version;
        const auto text = read_whole(path.string(), &version);
        if (!text) {
            if (is_absent(path) && is_absent(path.string() + ".corrupt"))
                found.rubbish.push_back(each.path());
            continue;
        }
        try {
            Entry entry{decode(*text), {}, version};
            if (entry.stored.id != id) throw std::runtime_error("its id is another's");
            if (entry.stored.origin == Origin::client)
                entry.settings = std::make_unique<config::LoadedContainer>(
                    config::load_container_json(entry.stored.config_json, entry.stored.name));
            found.containers.push_back(std::move(entry));
        } catch (const ForeignVersion& version) {
            throw at_path(path.string(), version, "its directory");
        } catch (const std::exception& exception) {
            found.broken.emplace_back(path, exception.what());
        }
    }
    return found;
}

void Store::keep(Found found) {
    for (Entry& entry : found.containers) {
        const FileVersion version = entry.version;
        std::string id = entry.stored.id;
        known_.put(std::move(id), version, std::move(entry));
    }
}

Store::Found Store::load(std::vector<std::string>& problems) const {
    Found found = look();
    known_.clear();
    std::error_code error;
    for (const auto& [path, why] : found.broken) {
        fs::rename(path, path.string() + ".corrupt", error);
        problems.push_back(path.string() + ": " + why + "; set aside as " +
                           path.filename().string() + ".corrupt");
    }
    found.broken.clear();
    return found;
}

void Store::save(const StoredContainer& container) const {
    const fs::path home = directory(container.id);
    if (::mkdir(home.c_str(), 0700) < 0 && errno != EEXIST)
        runtime::fail(errno, "make " + home.string());
    const fs::path path = home / file_name;
    const fs::path temporary = home / (std::string(file_name) + ".new");
    const std::string text = encode(container);
    // Opened first: once the file is in force, nothing must be in the way of saying so.
    const runtime::UniqueFd home_directory = open_directory(home);
    const runtime::UniqueFd root_directory = open_directory(root_);
    {
        const runtime::UniqueFd fd(
            must(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
                 "write " + temporary.string()));
        for (std::size_t at = 0; at < text.size();)
            at +=
                static_cast<std::size_t>(must(::write(fd.get(), text.data() + at, text.size() - at),
                                              "write " + temporary.string()));
        must(::fsync(fd.get()), "sync " + temporary.string());
    }
    failpoint("store.written");
    must(::rename(temporary.c_str(), path.c_str()), "rename " + temporary.string());
    failpoint("store.renamed");
    sync(home_directory, home);
    sync(root_directory, root_);
}

void Store::forget(const std::string& id) const {
    const fs::path path = directory(id) / file_name;
    if (::unlink(path.c_str()) < 0 && errno != ENOENT)
        runtime::fail(errno, "remove " + path.string());
    sync(open_directory(directory(id)), directory(id));
}

bool Store::is_of(const fs::path& data_root) const { return root_ == root_in(data_root); }

std::string new_id() {
    unsigned char bytes[16];
    must(::getrandom(bytes, sizeof bytes, 0), "draw a random id");
    std::string id;
    for (const unsigned char byte : bytes) {
        constexpr char digits[] = "0123456789abcdef";
        id += digits[byte >> 4];
        id += digits[byte & 15];
    }
    return id;
}

}  // namespace mydocker::supervisor
