// What happened on this host, in order: a bounded ring of events with their reasons. Readers name
// the sequence number they have seen; what has left the ring is told as a gap, never silently
// skipped.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "supervisor/attempt.hpp"
#include "supervisor/waker.hpp"

namespace mydocker::supervisor {

struct JournalEntry {
    std::uint64_t sequence = 0;  // from 1
    WallTime time{};
    std::string type = {};  // "state", "reload", "update", "daemon"
    std::string container = {};
    std::string id = {};
    std::string from = {};
    std::string state = {};
    std::uint64_t attempt = 0;
    std::string result = {};  // of the attempt, in the event that tells its end
    std::string reason = {};
};

class Journal {
public:
    static constexpr std::size_t capacity = 4096;

    void add(JournalEntry entry);

    // Unlike any other journal's: numbers count anew in each mydockerd.
    const std::string& instance() const { return instance_; }

    std::uint64_t last() const { return next_ - 1; }
    std::uint64_t oldest() const { return next_ - entries_.size(); }
    // The entry with this number; null when it has left the ring or is yet to come.
    const JournalEntry* find(std::uint64_t sequence) const;

    Bell grew;

private:
    static std::string make_instance();

    std::string instance_ = make_instance();
    std::deque<JournalEntry> entries_;
    std::uint64_t next_ = 1;
};

}  // namespace mydocker::supervisor
