// A container's log on disk: files numbered upwards, the oldest deleted beyond max_files. Numbers
// are never reused and files never renamed, so a reader's place {file, byte} stays right across
// rotation. What stands in the files is log_format.hpp's.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "config/host.hpp"
#include "runtime/unique_fd.hpp"
#include "supervisor/attempt.hpp"
#include "supervisor/waker.hpp"

namespace mydocker::supervisor {

class LogFiles {
public:
    // Nothing is made on disk before the first append, and nothing looked at before somebody asks;
    // an earlier run's files are continued.
    LogFiles(std::filesystem::path directory, const config::Logging& settings);

    // Whole records only; rotates where one does not fit any more. A record larger than a file has
    // one for itself. A failing disk loses records, is logged once and counted in lost_bytes(): it
    // never ends a container.
    void append(std::string_view records);
    void configure(const config::Logging& settings) { settings_ = settings; }
    void close() { file_.reset(); }  // until the next append
    void remove_all();

    // Files from this position on are kept while it is held, at most this many bytes of them.
    static constexpr std::uint64_t most_held = 256ULL << 20;
    void hold(const LogPosition* position) { held_.push_back(position); }
    void let_go(const LogPosition* position);

    const std::filesystem::path& directory() const { return directory_; }
    std::filesystem::path path(std::uint64_t file) const;
    LogPosition begin() const { return find(), LogPosition{oldest_, 0}; }
    LogPosition end() const { return find(), LogPosition{newest_, size_}; }
    std::uint64_t lost_bytes() const { return lost_; }

    Bell grew;

private:
    bool find() const;  // an earlier run's files, once; errno where they cannot be looked for now
    bool open();
    void rotate();
    void delete_oldest();  // beyond max_files, but for what is held
    // How many bytes of these records go into the newest file, which may be a new one after this.
    std::size_t make_room(std::string_view records);
    void write(std::string_view records);

    std::filesystem::path directory_;
    config::Logging settings_;
    runtime::UniqueFd file_;
    std::vector<const LogPosition*> held_;
    mutable bool found_ = false;
    mutable std::uint64_t oldest_ = 1;
    mutable std::uint64_t newest_ = 1;
    mutable std::uint64_t size_ = 0;  // of the newest
    std::uint64_t lost_ = 0;
};

}  // namespace mydocker::supervisor
