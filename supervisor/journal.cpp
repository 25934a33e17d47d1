// See journal.hpp.
#include "supervisor/journal.hpp"

#include <cstdio>
#include <random>

namespace mydocker::supervisor {

std::string Journal::make_instance() {
    std::random_device random;
    char text[17];
    std::snprintf(text, sizeof text, "%08x%08x", random(), random());
    return text;
}

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
