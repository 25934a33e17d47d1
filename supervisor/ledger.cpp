// See ledger.hpp.
#include "supervisor/ledger.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <cstdio>
#include <optional>

#include "runtime/error.hpp"
#include "runtime/unique_fd.hpp"

namespace mydocker::supervisor {

using runtime::must;

namespace {

constexpr std::size_t most_told = 8;  // problems of one file
constexpr std::size_t seal_size = 9;  // the checksum and the space

std::string seal(std::string_view record) {
    boost::crc_32_type crc;
    crc.process_bytes(record.data(), record.size());
    std::array<char, seal_size + 1> text{};
    std::snprintf(text.data(), text.size(), "%08x ", static_cast<unsigned>(crc.checksum()));
    return text.data();
}

// The record in a line; nullopt where it is not what was written.
std::optional<std::string_view> unseal(std::string_view line) {
    if (line.size() <= seal_size || !line.ends_with('\n')) return std::nullopt;
    const std::string_view record = line.substr(seal_size, line.size() - seal_size - 1);
    if (seal(record) != line.substr(0, seal_size)) return std::nullopt;
    return record;
}

off_t size_of(int fd, const std::string& path) {
    struct stat info {};
    must(::fstat(fd, &info), "look at " + path);
    return info.st_size;
}

// The end of a file: its whole lines, and what follows the last newline.
struct Tail {
    off_t begin = 0;  // in the file
    std::string bytes;
    std::vector<std::string_view> lines;  // of `bytes`, with their newlines

    off_t end_of(std::size_t line) const {
        return begin + (lines[line].data() + lines[line].size() - bytes.data());
    }
};

void read_tail(Tail& tail, int fd, off_t most, const std::string& path) {
    const off_t size = size_of(fd, path);
    tail.begin = std::max<off_t>(0, size - most);
    tail.bytes.resize(static_cast<std::size_t>(size - tail.begin));
    std::size_t filled = 0;
    while (filled < tail.bytes.size()) {
        const ssize_t got = must(::pread(fd, tail.bytes.data() + filled, tail.bytes.size() - filled,
                                         tail.begin + static_cast<off_t>(filled)),
                                 "read " + path);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    tail.bytes.resize(filled);
    std::string_view rest = tail.bytes;
    // It begins within a line that is too old to matter.
    if (tail.begin > 0) rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    while (!rest.empty()) {
        const std::size_t size_of_line = std::min(rest.find('\n'), rest.size() - 1) + 1;
        tail.lines.push_back(rest.substr(0, size_of_line));
        rest.remove_prefix(size_of_line);
    }
}

// Whether its last line is whole, and what was written.
bool ends_with_record(const Tail& tail) {
    return !tail.lines.empty() && unseal(tail.lines.back()).has_value();
}

// The last ones are asked for at every start of mydockerd, of every container.
void read_records(Tail& tail, int fd, std::size_t most, const std::string& path) {
    constexpr off_t enough_for_one = 8 << 10;
    read_tail(tail, fd, most == 1 ? enough_for_one : Ledger::read_bytes, path);
    if (most == 1 && !ends_with_record(tail)) read_tail(tail = {}, fd, Ledger::read_bytes, path);
}

}  // namespace

std::vector<Record> Ledger::load(std::vector<std::string>& problems, std::size_t most) const {
    const std::string path = file_.string();
    std::vector<std::string> found;
    const auto tell = [&](const std::string& what) {
        if (found.size() < most_told) found.push_back(path + ": " + what);
    };
    std::vector<Record> records;
    Tail tail;
    const runtime::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && errno == ENOENT) return records;
    must(fd.get(), "open " + path);
    read_records(tail, fd.get(), most, path);

    // From the end, and no further than needed: what is older may be wrong, and nobody asks.
    std::optional<off_t> end;  // of the last line that is what was written
    for (std::size_t line = tail.lines.size(); line > 0 && records.size() < most; --line) {
        const std::string place =
            "line " + std::to_string(line) + (tail.begin > 0 ? " of its last 256 KiB" : "") + ": ";
        const auto record = unseal(tail.lines[line - 1]);
        if (!record) {
            if (end) tell(place + "its checksum is wrong; that attempt is not known");
            continue;
        }
        if (!end) end = tail.end_of(line - 1);
        try {
            records.push_back(decode_record(*record));
        } catch (const ForeignVersion& version) {
            throw at_path(path, version, "it");
        } catch (const std::exception& error) {
            tell(place + error.what() + "; that attempt is not known");
        }
    }
    const off_t size = tail.begin + static_cast<off_t>(tail.bytes.size());
    if (!end && tail.begin > 0) {
        const bool moved = ::rename(path.c_str(), (path + ".corrupt").c_str()) == 0;
        tell("there is no record in its last 256 KiB; " +
             (moved ? "set aside as " + file_.filename().string() + ".corrupt"
                    : "it cannot be set aside: " + std::generic_category().message(errno)));
    } else if (end.value_or(0) < size) {
        const bool cut = ::truncate(path.c_str(), end.value_or(0)) == 0;
        tell("its last " + std::to_string(size - end.value_or(0)) + " bytes are no record; " +
             (cut ? "cut off" : "cut off in vain: " + std::generic_category().message(errno)));
    }
    std::reverse(records.begin(), records.end());
    problems.insert(problems.end(), found.rbegin(), found.rend());
    return records;
}

std::optional<Record> Ledger::look_at_last() const {
    const std::string path = file_.string();
    const runtime::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && errno == ENOENT) return std::nullopt;
    must(fd.get(), "open " + path);
    Tail tail;
    read_records(tail, fd.get(), 1, path);
    if (!ends_with_record(tail)) return std::nullopt;
    try {
        return decode_record(*unseal(tail.lines.back()));
    } catch (const ForeignVersion& version) {
        throw at_path(path, version, "it");
    } catch (const std::exception&) {
        return std::nullopt;  // it would be told, and left out
    }
}

void Ledger::append(const Record& record) {
    const std::string path = file_.string();
    const std::string json = encode(record);
    std::string line = seal(json) + json + "\n";
    const runtime::UniqueFd fd(must(
        ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600), "append to " + path));
    const off_t before = size_of(fd.get(), path);
    // A torn tail that could not be cut off must not take this record with it.
    char last = '\n';
    if (before > 0) must(::pread(fd.get(), &last, 1, before - 1), "read " + path);
    if (last != '\n') line.insert(0, "\n");
    const ssize_t written = ::write(fd.get(), line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size())) {
        const int error = written < 0 ? errno : ENOSPC;
        if (::ftruncate(fd.get(), before) < 0) {
        }  // the next append and load() cope with it
        runtime::fail(error, "append to " + path);
    }
    const off_t size = before + written;
    if (size > compact_beyond_) compact(fd.get(), size);
}

// The last records to a new file, which then takes this one's place. Where that fails nothing is
// lost: it is tried again when the file has grown by as much once more.
void Ledger::compact(int fd, off_t size) {
    const std::string path = file_.string();
    const std::string temporary = path + ".new";
    try {
        Tail tail;
        read_tail(tail, fd, kept_bytes, path);
        std::vector<std::string_view> kept;
        for (auto line = tail.lines.rbegin();
             line != tail.lines.rend() && kept.size() < kept_records; ++line)
            if (unseal(*line)) kept.push_back(*line);
        std::string text;
        for (auto line = kept.rbegin(); line != kept.rend(); ++line) text += *line;
        const runtime::UniqueFd out(must(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), "open"));
        if (::write(out.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            runtime::fail(ENOSPC, "write");
        must(::rename(temporary.c_str(), path.c_str()), "rename");
        compact_beyond_ = largest_file;
    } catch (const std::system_error&) {
        ::unlink(temporary.c_str());
        compact_beyond_ = size + largest_file;
    }
}

}  // namespace mydocker::supervisor
