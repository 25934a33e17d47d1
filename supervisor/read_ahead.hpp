// What has been read of files before it was needed, each in one version of its file: it counts for
// as long as the file is that one. Files of ours are replaced by rename(2), never changed in place.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace mydocker::supervisor {

// By stat(2): device, inode, size, and when its inode last changed.
class FileVersion {
public:
    FileVersion() = default;  // of no file, and equal to none
    explicit FileVersion(const struct stat& info)
        : all_{info.st_dev, info.st_ino, info.st_size, in_ns(info.st_ctim)}, is_one_(true) {
        // The kernel counts these times in ticks of up to 10 ms: of one that is younger, the next
        // version may look the same (Git calls such an entry racily clean).
        constexpr std::int64_t long_enough = 100'000'000;
        timespec now{};
        ::clock_gettime(CLOCK_REALTIME, &now);
        is_settled_ = in_ns(now) - in_ns(info.st_ctim) > long_enough;
    }
    static FileVersion of(int file) {
        struct stat info {};
        if (::fstat(file, &info) < 0) return {};
        return FileVersion(info);
    }
    // Of a path below `directory`.
    static FileVersion of(int directory, const std::string& name) {
        struct stat info {};
        if (::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) return {};
        return FileVersion(info);
    }
    friend bool operator==(const FileVersion& one, const FileVersion& other) {
        return one.is_one_ && other.is_one_ && one.all_ == other.all_;
    }
    // When it was asked, it was old enough to be told from the next one.
    bool is_settled() const { return is_settled_; }

private:
    static std::int64_t in_ns(const timespec& time) {
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    }
    std::tuple<dev_t, ino_t, off_t, std::int64_t> all_;
    bool is_one_ = false;
    bool is_settled_ = false;
};

template <class T>
class ReadAhead {
public:
    // `version`: asked before the file was read.
    void put(std::string name, const FileVersion& version, T value) {
        if (version.is_settled())
            all_.insert_or_assign(std::move(name), std::pair(version, std::move(value)));
    }
    // What the file has in the version that it has now, if that is known; only once. `now` tells
    // that version, and is asked only where there is something to compare.
    template <std::invocable Ask>
    std::optional<T> take(const std::string& name, Ask now) {
        const auto found = all_.extract(name);
        if (found.empty() || !(found.mapped().first == now())) return std::nullopt;
        return std::move(found.mapped().second);
    }
    void clear() { all_.clear(); }
    std::size_t size() const { return all_.size(); }

private:
    std::map<std::string, std::pair<FileVersion, T>> all_;
};

}  // namespace mydocker::supervisor
