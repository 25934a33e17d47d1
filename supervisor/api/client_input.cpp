// See client_input.hpp.
#include "supervisor/api/client_input.hpp"

#include "config/scalar.hpp"

namespace mydocker::supervisor::api {

bool ClientInput::take(const Session::FrameIn& frame) {
    switch (frame.type) {
        case protocol::Frame::input:
            if (frame.payload.empty()) {
                ended_ = true;
            } else {
                if (ended_ || pending_.size() + frame.payload.size() > protocol::window)
                    return false;
                pending_ += frame.payload;
            }
            pump();
            return true;
        case protocol::Frame::resize:
            if (frame.payload.size() != 4) return false;
            if (window_ != nullptr)
                window_->resize({protocol::get16(frame.payload),
                                 protocol::get16(std::string_view(frame.payload).substr(2))});
            return true;
        case protocol::Frame::signal: {
            const auto signal = config::parse_signal(frame.payload);
            if (signal && on_signal_) on_signal_(*signal);
            return signal.has_value();
        }
        default: return false;
    }
}

void ClientInput::pump() {
    if (end_ == nullptr) {  // into nowhere, as a terminal without -i does
        credit_ += static_cast<std::uint32_t>(pending_.size());
        pending_.clear();
        return;
    }
    const std::size_t taken = pending_.empty() ? 0 : end_->write(pending_);
    pending_.erase(0, taken);
    credit_ += static_cast<std::uint32_t>(taken);
    // Each attempt has a stdin of its own, which has to be ended.
    if (ended_ && pending_.empty() && end_->is_open() && ended_for_ != end_->opened() &&
        end_->end())
        ended_for_ = end_->opened();
}

std::uint32_t ClientInput::credit() { return std::exchange(credit_, 0); }

void ClientInput::leave(bool once) {
    if (end_ != nullptr && once && !ended_) end_->end();
}

asio::awaitable<bool> pass_input(Session& session, ClientInput& input) {
    input.pump();
    const std::uint32_t credit = input.credit();
    if (credit == 0) co_return false;
    std::string payload;
    protocol::put32(payload, credit);
    co_await session.send_frame(protocol::Frame::credit, std::move(payload));
    co_return true;
}

asio::awaitable<void> read_client(std::shared_ptr<Session> session,
                                  std::shared_ptr<ClientInput> input, bool once) {
    while (const auto frame = co_await session->read_frame()) {
        if (!input->take(*frame)) break;
        session->waker.poke();  // there may be credit to give
    }
    input->leave(once);
    session->hang_up();
}

}  // namespace mydocker::supervisor::api
