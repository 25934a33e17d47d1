// The attempt history of one container: an append-only file of records (stored_attempt.hpp), each a
// line "CRC-32 in 8 hexadecimal digits, a space, JSON". Killed at any instant, mydockerd leaves
// whole records; after a power loss the tail may be torn, and is cut off. Nothing here syncs: a
// crash loop costs no fsync.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/read_ahead.hpp"
#include "supervisor/stored_attempt.hpp"

namespace mydocker::supervisor {

class Ledger {
public:
    static constexpr std::size_t kept_records = 32;
    static constexpr off_t largest_file = 128 << 10;  // bytes; beyond that it is compacted
    static constexpr off_t kept_bytes = 64 << 10;     // at most these outlive a compaction
    static constexpr off_t read_bytes = 256 << 10;    // of a file that something else made larger

    // The file and its directory need not exist.
    explicit Ledger(std::filesystem::path file) : file_(std::move(file)) {}

    // The last records, oldest first, `most` of them. What is wrong is told, and what is good is
    // kept; a torn tail is cut off. Throws ForeignVersion, and has touched nothing, where another
    // version of mydockerd has written.
    std::vector<Record> load(std::vector<std::string>& problems,
                             std::size_t most = kept_records) const;

    // The last record, where the file ends with one that load() would find; touches nothing in any
    // case. Throws as load() does.
    std::optional<Record> look_at_last() const;
    FileVersion version() const { return FileVersion::of(AT_FDCWD, file_.string()); }

    // One write(2). Throws std::system_error with the path, and leaves the file as it was, where
    // that fails. Its directory must exist.
    void append(const Record& record);

private:
    void compact(int fd, off_t size);

    std::filesystem::path file_;
    off_t compact_beyond_ = largest_file;
};

}  // namespace mydocker::supervisor
