// The client's end of a framed stream (supervisor/protocol/stream.hpp): frames out, never more
// input than the other side has room for, and frames in. It never blocks, and what it keeps in
// either direction is bounded; when to read and write is the caller's loop's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/protocol/stream.hpp"
#include "tools/ctl/client.hpp"

namespace mydocker::ctl {

// Frames from a byte stream cut anywhere. Failure (125) for what is none.
class FrameReader {
public:
    struct Received {
        protocol::Frame type;
        std::string payload;
    };

    void feed(std::string_view bytes) { bytes_ += bytes; }
    std::optional<Received> next();
    bool is_mid_frame() const { return !bytes_.empty(); }

private:
    std::string bytes_;  // at most a frame and a piece
};

// What is sent: one frame after the other, control frames before input.
class FrameWriter {
public:
    // How many bytes of input may be given now: 0 while those before are still here or too many of
    // them were not taken yet.
    std::size_t input_room() const;
    void input(std::string_view bytes);  // at most input_room()
    void end_input();
    void control(protocol::Frame type, std::string_view payload);
    void credit(std::size_t bytes);  // they were taken; Failure (125) for more than were sent

    bool is_idle() const { return current_.empty() && control_.empty() && input_.empty(); }
    std::string_view next();  // the bytes to send next; empty when idle
    void sent(std::size_t count);
    // For another connection: a frame that went only in part was never there, and is sent again.
    // Tells how much input had gone that nobody acknowledged: whether it arrived is not known.
    std::size_t restart();

private:
    std::string current_;   // frames, of which the first may be sent in part
    std::size_t sent_ = 0;  // so many bytes of it
    std::string control_;   // whole frames; resizes and signals, which come one by one
    std::string input_;     // one frame, and perhaps the end
    std::size_t unacknowledged_ = 0;
};

class StreamClient {
public:
    // Of a request that asked for the upgrade and has its answer; Refused where that is not 101.
    explicit StreamClient(Exchange& exchange);

    // Goes on over the connection of such a request, after a break. What had been received and not
    // yet been taken is forgotten; for what is sent see FrameWriter::restart().
    void resume(Exchange& exchange);

    int fd() const { return connection_.get(); }
    FrameWriter& writer() { return writer_; }
    bool wants_to_send() const { return !broken_ && !writer_.is_idle(); }
    void flush();    // sends what there is room for; a connection that has ended is receive()'s
    bool receive();  // one piece, when fd() is readable; false: mydockerd has closed it
    // The next whole frame of the caller's concern: credits are dealt with here.
    std::optional<FrameReader::Received> next();

    void resize(std::uint16_t rows, std::uint16_t columns);

private:
    FrameReader reader_;
    FrameWriter writer_;
    UniqueFd connection_;
    bool broken_ = false;  // what is sent goes nowhere
};

}  // namespace mydocker::ctl
