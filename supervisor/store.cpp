// See store.hpp.
#include "supervisor/store.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "runtime/error.hpp"
#include "runtime/unique_fd.hpp"
#include "supervisor/failpoint/failpoint.hpp"

namespace mydocker::supervisor {

namespace fs = std::filesystem;
using runtime::must;

namespace {

constexpr auto file_name = "container.json";

void sync_directory(const fs::path& path) {
    const runtime::UniqueFd fd(
        must(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open " + path.string()));
    must(::fsync(fd.get()), "sync " + path.string());
}

}  // namespace

Store::Store(const fs::path& data_root) : root_(data_root / "containers") {
    std::error_code error;
    fs::create_directories(root_, error);
    if (error) throw std::system_error(error, "make " + root_.string());
    must(::chmod(root_.c_str(), 0700), "protect " + root_.string());
}

std::vector<StoredContainer> Store::load(std::vector<std::string>& problems) const {
    std::vector<StoredContainer> containers;
    std::vector<std::pair<fs::path, std::string>> broken;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root_, error)) {
        const fs::path path = entry.path() / file_name;
        std::ifstream in(path);
        if (!in) continue;
        std::stringstream text;
        text << in.rdbuf();
        try {
            StoredContainer container = decode(text.str());
            if (container.id != entry.path().filename())
                throw std::runtime_error("its id is another's");
            containers.push_back(std::move(container));
        } catch (const ForeignVersion& version) {
            throw at_path(path.string(), version, "its directory");
        } catch (const std::exception& exception) {
            broken.emplace_back(path, exception.what());
        }
    }
    for (const auto& [path, why] : broken) {
        fs::rename(path, path.string() + ".corrupt", error);
        problems.push_back(path.string() + ": " + why + "; set aside as " +
                           path.filename().string() + ".corrupt");
    }
    return containers;
}

void Store::save(const StoredContainer& container) const {
    const fs::path home = directory(container.id);
    if (::mkdir(home.c_str(), 0700) < 0 && errno != EEXIST)
        runtime::fail(errno, "make " + home.string());
    const fs::path path = home / file_name;
    const fs::path temporary = home / (std::string(file_name) + ".new");
    const std::string text = encode(container);
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
    sync_directory(home);
    sync_directory(root_);
}

void Store::forget(const std::string& id) const {
    const fs::path path = directory(id) / file_name;
    if (::unlink(path.c_str()) < 0 && errno != ENOENT)
        runtime::fail(errno, "remove " + path.string());
    sync_directory(directory(id));
}

std::vector<fs::path> Store::rubbish() const {
    std::vector<fs::path> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root_, error))
        if (!fs::exists(entry.path() / file_name, error) &&
            !fs::exists(entry.path() / (std::string(file_name) + ".corrupt"), error))
            found.push_back(entry.path());
    return found;
}

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
