// What a client of a framed stream sends: its input on the way into a workload's stdin, held here
// while the workload does not read, and what overtakes it (a resize, a signal). Bounded by the
// stream's window.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "supervisor/api/session.hpp"
#include "supervisor/input_end.hpp"

namespace mydocker::supervisor::api {

class ClientInput {
public:
    // `end`: where input goes; null: this client may send none. `on_signal`: may be empty.
    ClientInput(InputEnd* end, InputEnd* window, std::function<void(int)> on_signal)
        : end_(end), window_(window), on_signal_(std::move(on_signal)) {}

    // False when the client broke the stream's rules.
    bool take(const Session::FrameIn& frame);
    void pump();  // passes on as much as fits
    // How much was passed on since the last call.
    std::uint32_t credit();
    // The client has gone without ending its input; `once`: that is an end as well.
    void leave(bool once);
    // The workload has gone: from now on nothing is touched.
    void close() { end_ = window_ = nullptr; }

private:
    InputEnd* end_;
    InputEnd* window_;
    std::function<void(int)> on_signal_;
    std::string pending_;
    std::uint32_t credit_ = 0;
    bool ended_ = false;
    std::uint64_t ended_for_ = 0;  // the InputEnd's opened() that was told so
};

// Passes on as much input as fits and tells the client how much that was; false: nothing.
asio::awaitable<bool> pass_input(Session& session, ClientInput& input);

// Reads the client's frames until it goes; then the session is gone().
asio::awaitable<void> read_client(std::shared_ptr<Session> session,
                                  std::shared_ptr<ClientInput> input, bool once);

}  // namespace mydocker::supervisor::api
