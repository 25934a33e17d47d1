// See log_reader.hpp.
#include "supervisor/log_reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "supervisor/log_format.hpp"
#include "supervisor/next_turn.hpp"

namespace mydocker::supervisor {

namespace {

constexpr std::size_t piece_size = 128UL
                                   << 10;  // any record is shorter: a 64 KiB chunk and its prefix

runtime::UniqueFd open_file(const LogFiles& files, std::uint64_t file) {
    return runtime::UniqueFd(::open(files.path(file).c_str(), O_RDONLY | O_CLOEXEC));
}

std::string read_at(const runtime::UniqueFd& fd, std::uint64_t offset, std::size_t size) {
    std::string text(size, '\0');
    const ssize_t count = fd ? ::pread(fd.get(), text.data(), size, static_cast<off_t>(offset)) : 0;
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

std::uint64_t size_of(LogPosition end, const runtime::UniqueFd& fd, std::uint64_t file) {
    if (file == end.file) return end.offset;
    const off_t size = fd ? ::lseek(fd.get(), 0, SEEK_END) : 0;
    return size > 0 ? static_cast<std::uint64_t>(size) : 0;
}

}  // namespace

asio::awaitable<LogPosition> find_tail(const LogFiles& files, std::uint64_t lines,
                                       LogPosition end) {
    if (lines == 0) co_return end;
    // A line's first record follows an F record. Going backwards, the (lines + 1)th F ends the line
    // before the first one wanted; a last line that has no F yet is one of those wanted.
    std::uint64_t ended = 0;
    bool last = true;  // the newest record has not been seen yet
    for (std::uint64_t file = end.file; file >= files.begin().file && file > 0; --file) {
        const runtime::UniqueFd fd = open_file(files, file);
        std::uint64_t record_end = size_of(end, fd, file);  // of the record that is looked for
        std::uint64_t low = record_end;                     // `text` is the file from here on
        std::string text;
        while (record_end > 0) {
            // The newline before the record's own, or the beginning of the file.
            const std::size_t within = static_cast<std::size_t>(record_end - low);
            const std::size_t newline =
                within >= 2 ? text.rfind('\n', within - 2) : std::string::npos;
            if (newline == std::string::npos && low > 0) {
                const std::uint64_t step = std::min<std::uint64_t>(low, piece_size);
                low -= step;
                // What lies above the record is done with: the text stays one record and a piece
                // long.
                text.resize(within);
                text.insert(0, read_at(fd, low, static_cast<std::size_t>(step)));
                co_await next_turn();
                continue;
            }
            const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
            const bool full = record_flag(std::string_view(text).substr(begin)) == 'F';
            if (last && !full) ++ended;
            last = false;
            if (full && ++ended > lines) co_return LogPosition{file, record_end};
            record_end = low + begin;
        }
    }
    co_return files.begin();
}

asio::awaitable<LogPosition> find_since(const LogFiles& files, std::string time) {
    // Whole files first: one whose successor begins early enough has nothing to give.
    std::uint64_t file = files.begin().file;
    while (file < files.end().file) {
        const std::string first = read_at(open_file(files, file + 1), 0, log_time_size);
        if (first.size() < log_time_size || first >= time) break;
        ++file;
    }
    const runtime::UniqueFd fd = open_file(files, file);
    std::uint64_t offset = 0;
    for (;;) {
        const std::string text = read_at(fd, offset, piece_size);
        std::size_t begin = 0;
        while (text.size() - begin >= log_time_size) {
            if (text.compare(begin, log_time_size, time) >= 0)
                co_return LogPosition{file, offset + begin};
            const std::size_t newline = text.find('\n', begin);
            if (newline == std::string::npos) break;
            begin = newline + 1;
        }
        if (text.size() < piece_size || begin == 0) {
            // Nothing in this file; the next one, if there is, begins after `time`.
            co_return file < files.end().file ? LogPosition{file + 1, 0} : files.end();
        }
        offset += begin;
        co_await next_turn();
    }
}

std::string LogReader::next(const std::optional<LogPosition>& end) {
    for (;;) {
        if (end && (at_.file > end->file || (at_.file == end->file && at_.offset >= end->offset)))
            return "";
        if (!fd_) {
            if (at_.file < files_.begin().file) {
                skipped_ += files_.begin().file - at_.file;
                at_ = files_.begin();
            }
            fd_ = open_file(files_, at_.file);
            // Nothing written yet; or deleted by somebody, and the files after it are still there.
            if (!fd_ && at_.file >= files_.end().file) return "";
        }
        const std::size_t size = end && at_.file == end->file
                                     ? std::min<std::uint64_t>(piece_size, end->offset - at_.offset)
                                     : piece_size;
        std::string text = read_at(fd_, at_.offset, size);
        at_.offset += text.size();
        if (!text.empty() || at_.file >= files_.end().file) return text;
        fd_.reset();
        at_ = {at_.file + 1, 0};
    }
}

}  // namespace mydocker::supervisor
