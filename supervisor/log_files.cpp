// See log_files.hpp.
#include "supervisor/log_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "supervisor/log.hpp"

namespace mydocker::supervisor {

namespace fs = std::filesystem;

namespace {

// The size of the file's whole records. What a mydockerd that was killed within write(2) left of
// one is cut off: the next record would continue it.
std::uint64_t cut_torn_record(const fs::path& path) {
    constexpr std::size_t longest = 128UL << 10;  // of a record: a 64 KiB chunk and its prefix
    const runtime::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    const off_t size = fd ? ::lseek(fd.get(), 0, SEEK_END) : 0;
    if (size <= 0) return 0;
    std::string tail(std::min(static_cast<std::size_t>(size), longest), '\0');
    const off_t begin = size - static_cast<off_t>(tail.size());
    if (::pread(fd.get(), tail.data(), tail.size(), begin) != static_cast<ssize_t>(tail.size()))
        return static_cast<std::uint64_t>(size);
    const std::size_t newline = tail.rfind('\n');
    const off_t whole =
        newline == std::string::npos ? begin : begin + static_cast<off_t>(newline) + 1;
    const bool cut = whole < size && ::ftruncate(fd.get(), whole) == 0;
    return static_cast<std::uint64_t>(cut ? whole : size);
}

}  // namespace

LogFiles::LogFiles(fs::path directory, const config::Logging& settings)
    : directory_(std::move(directory)), settings_(settings) {}

bool LogFiles::find() const {
    if (found_) return true;
    std::uint64_t lowest = 0;
    std::uint64_t highest = 0;
    std::error_code error;
    for (fs::directory_iterator entry(directory_, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        std::uint64_t number = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
        if (parsed.ec != std::errc{} || std::string_view(parsed.ptr) != ".log" || number == 0)
            continue;
        lowest = lowest == 0 ? number : std::min(lowest, number);
        highest = std::max(highest, number);
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        errno = error.value();
        return false;
    }
    found_ = true;
    if (highest == 0) return true;
    oldest_ = lowest;
    newest_ = highest;
    size_ = cut_torn_record(path(newest_));
    return true;
}

fs::path LogFiles::path(std::uint64_t file) const {
    return directory_ / (std::to_string(file) + ".log");
}

bool LogFiles::open() {
    if (file_) return true;
    if (!find()) return false;
    std::error_code error;
    fs::create_directories(directory_, error);
    file_.reset(::open(path(newest_).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    return static_cast<bool>(file_);
}

void LogFiles::rotate() {
    file_.reset();
    ++newest_;
    size_ = 0;
    delete_oldest();
}

void LogFiles::delete_oldest() {
    const auto is_held = [&](std::uint64_t file) {
        return (newest_ - file) * settings_.max_size < most_held &&
               std::ranges::any_of(held_, [&](const auto* from) { return from->file <= file; });
    };
    while (newest_ - oldest_ >= settings_.max_files && !is_held(oldest_))
        ::unlink(path(oldest_++).c_str());
}

void LogFiles::let_go(const LogPosition* position) {
    std::erase(held_, position);
    delete_oldest();
}

std::size_t LogFiles::make_room(std::string_view records) {
    const std::uint64_t room = settings_.max_size > size_ ? settings_.max_size - size_ : 0;
    if (records.size() <= room) return records.size();
    const std::size_t last = room > 0 ? records.rfind('\n', room - 1) : std::string_view::npos;
    if (last != std::string_view::npos) return last + 1;
    if (size_ == 0) return std::min(records.find('\n'), records.size() - 1) + 1;
    rotate();
    return make_room(records);
}

void LogFiles::write(std::string_view records) {
    std::string_view rest = records;
    int error = open() ? 0 : errno;
    while (error == 0 && !rest.empty()) {
        const ssize_t count = ::write(file_.get(), rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            error = errno;
            break;
        }
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    size_ += records.size() - rest.size();
    if (error == 0) return;
    if (lost_ == 0)
        log::error("cannot write the log {}: {}; output is lost until this is mended",
                   path(newest_).string(), std::strerror(error));
    // A torn record is cut off, so that readers find only whole ones.
    const std::uint64_t whole = size_ - (records.size() - rest.size());
    if (file_ && ::ftruncate(file_.get(), static_cast<off_t>(whole)) == 0) {
        size_ = whole;
        rest = records;
    }
    lost_ += rest.size();
    file_.reset();
}

void LogFiles::append(std::string_view records) {
    if (records.empty()) return;
    if (!find()) return write(records);  // says why it cannot
    while (!records.empty()) {
        const std::size_t count = make_room(records);
        write(records.substr(0, count));
        records.remove_prefix(count);
    }
    grew.ring();
}

void LogFiles::remove_all() {
    file_.reset();
    std::error_code error;
    fs::remove_all(directory_, error);
    oldest_ = newest_ = 1;
    size_ = 0;
    found_ = true;
}

}  // namespace mydocker::supervisor
