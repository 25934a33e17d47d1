// One loop over everything that may happen. What cannot be written yet stops what it came from from
// being read: a stopped terminal of ours reaches the workload as a full pipe, and nothing grows.
#include "tools/ctl/attachment.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "config/scalar.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/detach_keys.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/outlet.hpp"
#include "tools/ctl/raw_terminal.hpp"
#include "tools/ctl/terminal.hpp"
#include "tools/ctl/wait_result.hpp"

namespace mydocker::ctl {

namespace {

using protocol::Frame;

class Session {
public:
    Session(StreamClient& stream, SignalInbox& signals, const Attachment& attachment)
        : stream_(stream),
          signals_(signals),
          attachment_(attachment),
          keys_(attachment.terminal ? attachment.detach_keys : ""),
          reads_input_(attachment.input) {}

    int run() {
        if (attachment_.terminal) size_ = window_size();  // as the request has it
        if (attachment_.redraw && size_) {
            // Shells and full-screen programs draw anew when their size changes, and only then.
            stream_.resize(size_->rows, static_cast<std::uint16_t>(size_->columns + 1));
            stream_.resize(size_->rows, size_->columns);
        }
        if (attachment_.terminal && attachment_.input) raw_.emplace(STDIN_FILENO);
        take_frames();
        while (!exit_code_ && !(end_ && out_.is_idle() && error_.is_idle())) turn();
        raw_.reset();
        return exit_code_ ? *exit_code_ : conclude();
    }

private:
    // Waits until something happens and deals with it.
    void turn() {
        const bool has_room = out_.is_idle() && error_.is_idle();
        const bool may_read = reads_input_ && !end_ && input_room() > 0;
        const bool starts = attachment_.start != nullptr && !attachment_.start->done();
        const auto connection_events = static_cast<short>(
            (has_room ? POLLIN : 0) | (stream_.writer().is_idle() ? 0 : POLLOUT));
        std::array<pollfd, 6> waiting{
            {{signals_.fd(), POLLIN, 0},
             {connection_events != 0 && !end_ ? stream_.fd() : -1, connection_events, 0},
             {may_read ? STDIN_FILENO : -1, POLLIN, 0},
             {out_.is_idle() ? -1 : out_.fd(), POLLOUT, 0},
             {error_.is_idle() ? -1 : error_.fd(), POLLOUT, 0},
             {starts ? attachment_.start->fd() : -1, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0) {
            if (errno == EINTR) return;
            throw Failure(std::string("wait for mydockerd: ") + std::strerror(errno),
                          protocol::exit_daemon);
        }
        while (const auto signal = signals_.take()) take_signal(*signal);
        if (exit_code_) return;
        if (waiting[5].revents != 0) advance_start();
        if (waiting[3].revents != 0) out_.flush();
        if (waiting[4].revents != 0) error_.flush();
        if (waiting[2].revents != 0) read_input();
        stream_.flush();
        if (has_room && waiting[1].revents != 0) receive();
    }

    void take_signal(const std::string& signal) {
        if (signal == "SIGCONT" && raw_) raw_->take_back();
        if (signal == "SIGWINCH" || signal == "SIGCONT") return follow_size();
        if (raw_) raw_->restore();  // whoever sent it wants us to end
        if (!attachment_.proxy || end_) {
            exit_code_ = 128 + config::parse_signal(signal).value_or(SIGTERM);
        } else {
            attachment_.proxy(stream_, signal);
        }
    }

    void follow_size() {
        const auto size = attachment_.terminal ? window_size() : std::nullopt;
        if (!size || size == size_) return;
        size_ = size;
        stream_.resize(size->rows, size->columns);
    }

    // Less than there is: keys held back earlier may go with what is typed now.
    std::size_t input_room() const {
        const std::size_t room = stream_.writer().input_room();
        return raw_ ? room - std::min(room, most_detach_keys) : room;
    }

    void read_input() {
        std::array<char, 64 * 1024> buffer;
        const ssize_t count =
            ::read(STDIN_FILENO, buffer.data(), std::min(buffer.size(), input_room()));
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
        const bool is_over = count <= 0;
        if (is_over && raw_) {
            throw Failure("the terminal is gone; " + attachment_.name + " goes on",
                          protocol::exit_daemon);
        }
        if (is_over) {
            reads_input_ = false;
            return stream_.writer().end_input();
        }
        const std::string_view typed(buffer.data(), static_cast<std::size_t>(count));
        stream_.writer().input(raw_ ? keys_.pass(typed) : std::string(typed));
        if (!keys_.found()) return;
        stream_.flush();  // what was typed before them
        raw_->restore();
        write_error('\n' + attachment_.left + '\n');
        exit_code_ = 0;
    }

    void advance_start() {
        attachment_.start->advance();
        if (attachment_.start->done()) attachment_.start->answer();
    }

    // A start that was refused is the better explanation of an end, and its answer is on its way.
    void settle_start() const {
        if (attachment_.start == nullptr || attachment_.start->done()) return;
        attachment_.start->finish(std::chrono::seconds{5});
        attachment_.start->answer();
    }

    void receive() {
        const bool is_open = stream_.receive();
        take_frames();
        if (is_open || end_) return;
        settle_start();
        throw Failure("mydockerd has closed the connection; " + attachment_.name +
                          " may go on. See 'mydocker-ctl status " + attachment_.name + "'.",
                      protocol::exit_daemon);
    }

    void take_frames() {
        while (auto frame = stream_.next()) {
            if (frame->type == Frame::output) out_.put(frame->payload);
            if (frame->type == Frame::error) error_.put(frame->payload);
            if (frame->type == Frame::end) end_ = std::move(frame->payload);
        }
    }

    int conclude() const {
        const Json answer = Json::parse(*end_, nullptr, false);
        if (!answer.is_object()) {
            throw Failure("mydockerd's stream ends with what is not JSON", protocol::exit_daemon);
        }
        const WaitResult result = read_wait_result(answer);
        if (!result.failure.empty()) {
            settle_start();
            throw Failure(attachment_.name + ": " + result.failure, result.exit_code);
        }
        return result.exit_code;
    }

    StreamClient& stream_;
    SignalInbox& signals_;
    const Attachment& attachment_;
    DetachKeys keys_;
    bool reads_input_;
    Outlet out_{STDOUT_FILENO};
    Outlet error_{STDERR_FILENO};
    std::optional<WindowSize> size_;
    std::optional<std::string> end_;  // the last frame
    std::optional<int> exit_code_;    // we leave before it
    std::optional<RawTerminal> raw_;  // last: restored first
};

}  // namespace

int stay_attached(StreamClient& stream, SignalInbox& signals, const Attachment& attachment) {
    return Session(stream, signals, attachment).run();
}

void require_terminal() {
    if (::isatty(STDIN_FILENO) == 1) return;
    throw Failure(
        "-t: standard input is no terminal whose keys could go to the workload's; leave -t out "
        "for pipes and files",
        protocol::exit_daemon);
}

}  // namespace mydocker::ctl
