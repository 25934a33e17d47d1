// The host-wide start gate: at most so many starts in flight, first come first served, against
// restart storms. Counting only; who waits is named by an opaque key.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>

namespace mydocker::supervisor {

class Gate {
public:
    using Key = std::uint64_t;
    explicit Gate(unsigned width) { set_width(width); }

    // At least one: a gate that never opens would be a hang. A narrower gate turns nobody out.
    void set_width(unsigned width) { width_ = std::max(width, 1U); }

    // Asks for a slot. Asking twice, or while holding one, changes nothing.
    void request(Key key);
    // Gives up a place in the queue or a slot; harmless where there is neither.
    void release(Key key);
    // The next in the queue that may go in now; call until nullopt after request() and release().
    std::optional<Key> admit();

    bool holds(Key key) const { return inside_.contains(key); }
    std::size_t in_flight() const { return inside_.size(); }
    std::size_t queued() const { return queue_.size(); }

private:
    unsigned width_ = 1;
    std::deque<Key> queue_;
    std::set<Key> inside_;
};

}  // namespace mydocker::supervisor
