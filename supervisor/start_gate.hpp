// The start gate (gate.hpp) with its doors connected: whoever is let in finds Event::slot in its
// inbox.
#pragma once

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
        gate_.request(key(inbox));
        admit();
    }
    void release(Inbox& inbox) {
        gate_.release(key(inbox));
        admit();
    }
    bool holds(const Inbox& inbox) const { return gate_.holds(key(inbox)); }

private:
    static Gate::Key key(const Inbox& inbox) { return reinterpret_cast<Gate::Key>(&inbox); }
    void admit() {
        while (const auto key = gate_.admit()) reinterpret_cast<Inbox*>(*key)->post(Event::slot);
    }

    Gate gate_;
};

}  // namespace mydocker::supervisor
