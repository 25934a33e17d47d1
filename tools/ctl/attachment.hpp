// A session at a workload's terminal or pipes, from the upgrade of the connection to its end: our
// standard streams, the signals sent to us, the size of our terminal. Which request it began with
// is its caller's. Where the stream can be resumed, a connection that breaks is made again, and
// what the workload wrote meanwhile is not missed; input that was on its way may be.
#pragma once

#include <functional>
#include <string>

#include "tools/ctl/signals.hpp"
#include "tools/ctl/stream_client.hpp"

namespace mydocker::ctl {

struct Attachment {
    std::string name;       // the container's, for people
    bool input = false;     // standard input goes to the workload
    bool terminal = false;  // the workload has one: it follows our size and, with input, gets keys
    bool redraw = false;    // asks what is at the terminal already to show itself again
    std::string detach_keys;  // as bytes; of use only where keys go raw
    std::string left = {};    // said once the keys were found
    // Passes a signal on. None: it ends this process (128 + n) and leaves the workload alone.
    std::function<void(StreamClient&, const std::string& signal)> proxy = {};
    Exchange* start = nullptr;  // a request that goes on beside; Refused when it is
    // Connects again and asks for the same stream from there on. None: it cannot be resumed.
    std::function<Exchange(const protocol::Position& seen)> resume = {};
    // The same for an exec session, which has a name and no position.
    std::function<Exchange(const std::string& session)> resume_session = {};
    std::string lost = {};  // said where the connection broke for good; "" for what attach says
    bool silent = false;    // no note on standard error about a break
};

// Our exit code: the workload's; 0 after the detach keys. Throws Failure, Refused, ReaderGone.
int stay_attached(StreamClient& stream, SignalInbox& signals, const Attachment& attachment);

// Failure (125) where keys should go to a workload's terminal and standard input is none.
void require_terminal();

}  // namespace mydocker::ctl
