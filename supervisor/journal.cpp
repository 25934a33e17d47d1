// See journal.hpp.
#include "supervisor/journal.hpp"

namespace mydocker::supervisor {

void Journal::add(JournalEntry entry) {
    entry.sequence = next_++;
    entry.time = std::chrono::system_clock::now();
    entries_.push_back(std::move(entry));
    if (entries_.size() > capacity) entries_.pop_front();
    grew.ring();
}

const JournalEntry* Journal::find(std::uint64_t sequence) const {
    if (sequence < oldest() || sequence >= next_) return nullptr;
    return &entries_[sequence - oldest()];
}

}  // namespace mydocker::supervisor
