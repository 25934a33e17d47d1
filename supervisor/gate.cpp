// The start gate's queue and its set of starts in flight; see gate.hpp.
#include "supervisor/gate.hpp"

#include <algorithm>

namespace mydocker::supervisor {

void Gate::request(Key key) {
    if (holds(key) || std::find(queue_.begin(), queue_.end(), key) != queue_.end()) return;
    queue_.push_back(key);
}

void Gate::release(Key key) {
    inside_.erase(key);
    std::erase(queue_, key);
}

std::optional<Gate::Key> Gate::admit() {
    if (queue_.empty() || inside_.size() >= width_) return std::nullopt;
    const Key key = queue_.front();
    queue_.pop_front();
    inside_.insert(key);
    return key;
}

}  // namespace mydocker::supervisor
