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
#include "tools/ctl/reconnection.hpp"
#include "tools/ctl/terminal.hpp"
#include "tools/ctl/wait_result.hpp"

namespace mydocker::ctl {

namespace {

using protocol::Frame;
using Clock = Reconnection::Clock;

// What may be typed while there is nobody to send it to.
constexpr std::size_t most_typed_ahead = 4096;

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
        reconnection_.connected(Clock::now());
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
        const auto connection_events =
            static_cast<short>((has_room ? POLLIN : 0) | (stream_.wants_to_send() ? POLLOUT : 0));
        const int connection = connection_events != 0 && !end_ ? stream_.fd() : -1;
        const int answer = resuming_ ? resuming_->fd() : -1;
        std::array<pollfd, 6> waiting{
            {{signals_.fd(), POLLIN, 0},
             {away_ ? answer : connection, away_ ? short{POLLIN} : connection_events, 0},
             {may_read ? STDIN_FILENO : -1, POLLIN, 0},
             {out_.is_idle() ? -1 : out_.fd(), POLLOUT, 0},
             {error_.is_idle() ? -1 : error_.fd(), POLLOUT, 0},
             {starts ? attachment_.start->fd() : -1, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), patience()) < 0) {
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
        if (away_) return come_back(waiting[1].revents != 0);
        stream_.flush();
        if (has_room && waiting[1].revents != 0) receive();
    }

    // In milliseconds: while we are away, until the next try or the end of hope.
    int patience() const {
        if (!away_) return -1;
        const auto wake = resuming_ ? reconnection_.deadline() : reconnection_.next();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - Clock::now());
        return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }

    void take_signal(const std::string& signal) {
        if (signal == "SIGCONT" && raw_) raw_->take_back();
        if (signal == "SIGWINCH" || signal == "SIGCONT") return follow_size();
        if (raw_) raw_->restore();  // whoever sent it wants us to end
        if (away_ && attachment_.proxy) {
            write_error("mydocker-ctl: mydockerd is away, so " + signal + " does not reach " +
                        attachment_.name + ", which goes on\n");
        }
        if (!attachment_.proxy || end_ || away_) {
            exit_code_ = 128 + config::parse_signal(signal).value_or(SIGTERM);
        } else {
            attachment_.proxy(stream_, signal);
        }
    }

    void follow_size() {
        const auto size = attachment_.terminal ? window_size() : std::nullopt;
        if (!size || size == size_) return;
        size_ = size;
        if (!away_) stream_.resize(size->rows, size->columns);
    }

    // Less than there is: keys held back earlier may go with what is typed now.
    std::size_t input_room() const {
        // From a terminal something is read all the same: the detach keys may be among it.
        if (away_) return raw_ ? most_typed_ahead - std::min(typed_ahead_, most_typed_ahead) : 0;
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
            input_ended_ = true;
            return stream_.writer().end_input();
        }
        const std::string_view typed(buffer.data(), static_cast<std::size_t>(count));
        if (away_) typed_ahead_ += typed.size();
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
        if (!can_resume()) throw lost();
        held_.clear();
        unacknowledged_ += stream_.writer().restart();
        typed_ahead_ = 0;
        away_ = true;
        reconnection_.broke(Clock::now());
    }

    Failure lost(const std::string& why = "mydockerd went away") const {
        const std::string& known = attachment_.lost;
        return Failure(
            why + "; " +
                (known.empty() ? attachment_.name + " may go on. See 'mydocker-ctl status " +
                                     attachment_.name + "'."
                               : known),
            protocol::exit_daemon);
    }

    bool can_resume() const {
        return position_ ? attachment_.resume != nullptr
                         : !session_.empty() && attachment_.resume_session != nullptr;
    }

    // One step towards the next connection.
    void come_back(bool answered) {
        try {
            if (!resuming_ && Clock::now() >= reconnection_.next())
                resuming_.emplace(position_ ? attachment_.resume(*position_)
                                            : attachment_.resume_session(session_));
            if (resuming_ && answered) resuming_->advance();
        } catch (const Unreachable& unreachable) {
            reconnection_.failed(Clock::now(), unreachable.error());
        } catch (const Disconnected&) {
            resuming_.reset();
            reconnection_.broke(Clock::now());
        }
        if (resuming_ && resuming_->done()) return resume();
        const std::string why = reconnection_.hopeless(Clock::now());
        if (!why.empty()) throw lost("the connection to mydockerd broke, and " + why);
    }

    void resume() {
        try {
            stream_.resume(*resuming_);
        } catch (const Refused& refused) {
            throw Refused(
                "the connection to mydockerd broke, and then: " + std::string(refused.what()),
                protocol::exit_daemon, refused.status(), refused.problems());
        }
        resuming_.reset();
        away_ = false;
        const auto now = Clock::now();
        reconnection_.connected(now);
        if (input_ended_) stream_.writer().end_input();
        size_ = attachment_.terminal ? window_size() : std::nullopt;
        if (size_) stream_.resize(size_->rows, size_->columns);
        tell(reconnection_.note(now));
        take_frames();
    }

    // A screen that belongs to the workload is not written on.
    void tell(const std::string& note) {
        const std::size_t doubtful = std::exchange(unacknowledged_, 0);
        if (attachment_.silent || attachment_.terminal) return;
        std::string line = "mydocker-ctl: " + note;
        if (doubtful > 0)
            line += "; " + std::to_string(doubtful) + " bytes of input may not have arrived";
        error_.put(line + '\n');
    }

    // Where there are positions, what comes is kept until its own has come: so it is shown whole,
    // or not at all before the next connection brings it again.
    void take_frames() {
        while (auto frame = stream_.next()) {
            if (frame->type == Frame::position) {
                take_position(frame->payload);
            } else if (frame->type == Frame::session) {
                session_ = std::move(frame->payload);
            } else if (frame->type == Frame::end) {
                show_held();
                end_ = std::move(frame->payload);
            } else if (position_) {
                held_.push_back(std::move(*frame));
            } else {
                show(*frame);
            }
        }
    }

    void take_position(std::string_view payload) {
        if (payload.size() != protocol::position_bytes)
            throw Failure("mydockerd's stream makes no sense: a position of " +
                              std::to_string(payload.size()) + " bytes",
                          protocol::exit_daemon);
        position_ = protocol::decode_position(payload);
        if (!held_.empty()) reconnection_.progressed();
        show_held();
    }

    void show_held() {
        for (const auto& frame : held_) show(frame);
        held_.clear();
    }

    void show(const FrameReader::Received& frame) {
        if (frame.type == Frame::output) out_.put(frame.payload);
        if (frame.type == Frame::error) error_.put(frame.payload);
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
    // What is known of the stream, and of its next connection while there is none.
    std::optional<protocol::Position> position_;
    std::string session_;  // an exec's
    std::vector<FrameReader::Received> held_;  // at most a piece of the log
    Reconnection reconnection_;
    bool away_ = false;
    std::optional<Exchange> resuming_;  // has been asked
    std::size_t unacknowledged_ = 0;    // input that went before a break
    std::size_t typed_ahead_ = 0;       // since it
    bool input_ended_ = false;
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
