// The start gate (gate.hpp) with its doors connected: whoever is let in finds Event::slot in its
// inbox.
#pragma once

#include <map>

#include "supervisor/gate.hpp"
#include "supervisor/inbox.hpp"

namespace mydocker::supervisor {

class StartGate {
public:
    explicit StartGate(unsigned width) : gate_(width) {}

    void set_width(unsigned width) {
        gate_.set_width(width);
        admit();
    }
    void request(Inbox& inbox) {
        inboxes_[key(inbox)] = &inbox;
        gate_.request(key(inbox));
        admit();
    }
    void release(Inbox& inbox) {
        gate_.release(key(inbox));
        inboxes_.erase(key(inbox));
        admit();
    }
    bool holds(const Inbox& inbox) const { return gate_.holds(key(inbox)); }

private:
    static Gate::Key key(const Inbox& inbox) { return reinterpret_cast<Gate::Key>(&inbox); }
    void admit() {
        while (const auto key = gate_.admit()) inboxes_.at(*key)->post(Event::slot);
    }

    Gate gate_;
    std::map<Gate::Key, Inbox*> inboxes_;  // of those in the queue or inside
};

}  // namespace mydocker::supervisor
