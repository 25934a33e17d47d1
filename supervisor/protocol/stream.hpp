// The framed stream that attach, exec and archive requests turn their connection into: a client
// asks with `Connection: Upgrade` and `Upgrade: mydocker-stream`, mydockerd answers 101, and from
// then on both send frames. A frame is Docker's raw-stream header of eight bytes, then its payload:
//
//   byte 0: the Frame; bytes 1-3: zero; bytes 4-7: the payload's size, big-endian
//
//   client                                     mydockerd
//      │ ── input (at most `window` bytes) ──────→│ ── the workload's stdin
//      │ ←─ credit: so many of them were taken ───│
//      │ ── resize, signal: never behind input ──→│
//      │ ←─ output, error ────────────────────────│ ←─ its stdout, stderr; a terminal: output
//      │ ←─ position (attach), session (exec) ────│
//      │ ←─ end: its exit code, then EOF ─────────│
//
// A connection that closes without an empty `input` has not ended the workload's stdin.
//
// Only `end` is the end: an EOF before it means that mydockerd died or was replaced, and the
// workload goes on. An attached client can then go on where it was. The first frame and the one
// behind each piece of output is a `position`, and what came before it is that much of the
// container's log: who keeps output until its position has come, and asks again with
// `?from=FILE:BYTE&after=ATTEMPT`, misses nothing and sees nothing twice. Of input that was sent
// but never credited nobody knows whether the workload got it: it is not to be sent again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mydocker::protocol {

inline constexpr std::string_view stream_upgrade = "mydocker-stream";

enum class Frame : std::uint8_t {
    input = 0,   // client: bytes for stdin; empty: the end of stdin
    output = 1,  // mydockerd: bytes of stdout, or of the terminal
    error = 2,   // mydockerd: bytes of stderr
    end = 3,     // mydockerd: {"exit_code":N,"reason":"…"}; the last frame
    resize = 4,  // client: rows and columns, two bytes each, big-endian
    signal = 5,  // client: "SIGINT", to an exec session's process
    credit = 6,  // mydockerd: four bytes, big-endian: how much input the workload's side took
    // mydockerd: the log's file and byte, and the container's last attempt as the stream began;
    // eight bytes each, big-endian
    position = 7,
    session = 8  // mydockerd: the id of an exec session
};

inline constexpr std::size_t frame_header_bytes = 8;
inline constexpr std::size_t max_frame_bytes = 256UL << 10;  // of a payload
// How much input a client may have sent beyond what was credited; more ends the connection.
inline constexpr std::size_t window = 256UL << 10;

struct FrameHeader {
    Frame type = Frame::input;
    std::size_t size = 0;
};

inline std::array<char, frame_header_bytes> encode(FrameHeader header) {
    const auto byte = [&](unsigned shift) {
        return static_cast<char>(static_cast<unsigned char>(header.size >> shift & 0xff));
    };
    return {static_cast<char>(header.type), 0, 0, 0, byte(24), byte(16), byte(8), byte(0)};
}

// The header at the beginning of `bytes` (at least frame_header_bytes); nullopt for what is none.
inline std::optional<FrameHeader> decode(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    if (at(0) > static_cast<unsigned>(Frame::session) || at(1) + at(2) + at(3) != 0)
        return std::nullopt;
    const std::size_t size = static_cast<std::size_t>(at(4)) << 24 |
                             static_cast<std::size_t>(at(5)) << 16 |
                             static_cast<std::size_t>(at(6)) << 8 | at(7);
    if (size > max_frame_bytes) return std::nullopt;
    return FrameHeader{static_cast<Frame>(at(0)), size};
}

inline std::string frame(Frame type, std::string_view payload) {
    const auto header = encode({type, payload.size()});
    std::string bytes(header.data(), header.size());
    bytes += payload;
    return bytes;
}

// Numbers inside payloads, big-endian.
inline void put16(std::string& bytes, std::uint16_t value) {
    bytes += static_cast<char>(value >> 8);
    bytes += static_cast<char>(value & 0xff);
}
inline void put32(std::string& bytes, std::uint32_t value) {
    put16(bytes, static_cast<std::uint16_t>(value >> 16));
    put16(bytes, static_cast<std::uint16_t>(value & 0xffff));
}
inline void put64(std::string& bytes, std::uint64_t value) {
    put32(bytes, static_cast<std::uint32_t>(value >> 32));
    put32(bytes, static_cast<std::uint32_t>(value & 0xffffffff));
}
inline std::uint16_t get16(std::string_view bytes) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 |
                                      static_cast<unsigned char>(bytes[1]));
}
inline std::uint32_t get32(std::string_view bytes) {
    return static_cast<std::uint32_t>(get16(bytes)) << 16 | get16(bytes.substr(2));
}
inline std::uint64_t get64(std::string_view bytes) {
    return static_cast<std::uint64_t>(get32(bytes)) << 32 | get32(bytes.substr(4));
}

// The payload of a `position`.
struct Position {
    std::uint64_t file = 0;
    std::uint64_t byte = 0;
    std::uint64_t attempt = 0;
};
inline constexpr std::size_t position_bytes = 24;

inline std::string encode(const Position& position) {
    std::string bytes;
    for (const std::uint64_t part : {position.file, position.byte, position.attempt})
        put64(bytes, part);
    return bytes;
}
// Of a payload of position_bytes.
inline Position decode_position(std::string_view bytes) {
    return {get64(bytes), get64(bytes.substr(8)), get64(bytes.substr(16))};
}

}  // namespace mydocker::protocol
