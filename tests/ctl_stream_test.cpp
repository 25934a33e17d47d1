// The pure parts of an attached client: detach keys, and frames in and out with their bounds.
#include <boost/test/unit_test.hpp>
#include <random>

#include "tools/ctl/detach_keys.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/stream_client.hpp"

using namespace mydocker::ctl;
using mydocker::protocol::Frame;
namespace protocol = mydocker::protocol;

namespace {

std::string parse_error(std::string_view text) {
    try {
        parse_detach_keys(text);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "(no error)";
}

// What comes through, in pieces of this size; '!' where the keys were found.
std::string passed(const std::string& keys, const std::string& typed, std::size_t piece) {
    DetachKeys matcher(keys);
    std::string through;
    for (std::size_t at = 0; at < typed.size() && !matcher.found(); at += piece) {
        through += matcher.pass(std::string_view(typed).substr(at, piece));
    }
    return through + (matcher.found() ? "!" : "");
}

std::string frames_of(FrameReader& reader) {
    std::string text;
    while (const auto frame = reader.next()) {
        text += std::to_string(static_cast<int>(frame->type)) + ':' + frame->payload + ' ';
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_stream)

BOOST_AUTO_TEST_CASE(detach_keys_as_docker_spells_them) {
    BOOST_TEST(parse_detach_keys("ctrl-p,ctrl-q") == "\x10\x11");
    BOOST_TEST(parse_detach_keys("ctrl-],d") ==
               "\x1d"
               "d");
    BOOST_TEST(parse_detach_keys("a,B,~") == "aB~");
    BOOST_TEST(parse_detach_keys("ctrl-A,ctrl-[,ctrl-\\,ctrl-^,ctrl-_") == "\x01\x1b\x1c\x1e\x1f");
    BOOST_TEST(parse_detach_keys("ctrl-@") == std::string(1, '\0'));
    BOOST_TEST(parse_detach_keys("DEL") == "\x7f");
    BOOST_TEST(parse_detach_keys("") == "");
    for (const char* wrong :
         {"ctrl-", "ctrl-!", "ctrl-pq", ",", "a,", "shift-a", "é", "ctrl-p ctrl-q"}) {
        BOOST_TEST(parse_error(wrong).starts_with("--detach-keys: '"), wrong);
    }
    BOOST_TEST(parse_error("a,bb") ==
               "--detach-keys: 'bb' in 'a,bb' is no key; write for example ctrl-p,ctrl-q or "
               "ctrl-],d");
    BOOST_CHECK_THROW(parse_detach_keys("a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,"
                                        "a,a,a,a,a"),
                      UsageError);
}

BOOST_AUTO_TEST_CASE(what_is_not_the_sequence_comes_through) {
    for (std::size_t piece = 1; piece < 8; ++piece) {
        BOOST_TEST(passed("ab", "xab", piece) == "x!");
        BOOST_TEST(passed("ab", "aab", piece) == "a!");
        BOOST_TEST(passed("ab", "axb", piece) == "axb");
        BOOST_TEST(passed("aab", "aaab", piece) == "a!");
        BOOST_TEST(passed("aba", "abaaa", piece) == "!");
        BOOST_TEST(passed("abac", "ababac", piece) == "ab!");
        BOOST_TEST(passed("a", "xyz", piece) == "xyz");
        BOOST_TEST(passed("", "anything", piece) == "anything");
    }
    DetachKeys keys("ab");
    BOOST_TEST(keys.pass("xa") == "x");  // may be the beginning
    BOOST_TEST(keys.pass("a") == "a");
    BOOST_TEST(!keys.found());
    BOOST_TEST(keys.pass("bxyz") == "");
    BOOST_TEST(keys.found());
}

BOOST_AUTO_TEST_CASE(random_typing_agrees_with_a_search) {
    std::mt19937 random(3);
    for (int round = 0; round < 5000; ++round) {
        std::string keys, typed;
        for (std::size_t i = 1 + random() % 4; i > 0; --i) keys += "ab"[random() % 2];
        for (std::size_t i = random() % 12; i > 0; --i) typed += "ab"[random() % 2];
        const std::size_t at = typed.find(keys);
        const std::string through = passed(keys, typed, 1 + random() % 5);
        if (at != std::string::npos) {
            BOOST_TEST(through == typed.substr(0, at) + '!');
        } else {
            // All but an end that may begin the sequence.
            BOOST_TEST(typed.starts_with(through));
            BOOST_TEST(keys.starts_with(typed.substr(through.size())));
        }
    }
}

BOOST_AUTO_TEST_CASE(frames_in_pieces_of_every_size) {
    const std::string bytes = protocol::frame(Frame::output, "hello") +
                              protocol::frame(Frame::error, "") + protocol::frame(Frame::end, "{}");
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        FrameReader reader;
        std::string frames;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            reader.feed(std::string_view(bytes).substr(at, piece));
            frames += frames_of(reader);
        }
        BOOST_TEST(frames == "1:hello 2: 3:{} ");
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_frame_is_an_error) {
    const std::string too_long("\1\0\0\0\0\4\0\1", 8);  // window and a byte
    for (const std::string& bytes : {std::string("HTTP/1.1 "), std::string(8, '\x7f'), too_long,
                                     std::string("\1\0\1\0\0\0\0\0", 8)}) {
        FrameReader reader;
        reader.feed(bytes);
        BOOST_CHECK_THROW(reader.next(), Failure);
    }
}

BOOST_AUTO_TEST_CASE(input_keeps_to_the_window) {
    FrameWriter writer;
    std::size_t given = 0;
    const auto drain = [&] {
        while (!writer.next().empty())
            writer.sent(std::min<std::size_t>(writer.next().size(), 777));
    };
    while (writer.input_room() > 0) {
        const std::size_t size = std::min<std::size_t>(writer.input_room(), 50'000);
        writer.input(std::string(size, 'x'));
        given += size;
        BOOST_TEST(writer.input_room() == 0U);  // one frame waits
        drain();
    }
    BOOST_TEST(given == protocol::window);
    writer.credit(10);
    BOOST_TEST(writer.input_room() == 10U);
    BOOST_CHECK_THROW(writer.credit(protocol::window), Failure);
    writer.end_input();  // the end needs no room
    BOOST_TEST(writer.next() == protocol::frame(Frame::input, ""));
}

BOOST_AUTO_TEST_CASE(control_frames_overtake_input_but_cut_no_frame) {
    FrameWriter writer;
    writer.input("first");
    writer.next();
    writer.sent(3);  // begun
    writer.input("second");
    writer.control(Frame::signal, "SIGINT");
    std::string sent;
    while (!writer.next().empty()) {
        sent += writer.next();
        writer.sent(writer.next().size());
    }
    FrameReader reader;
    reader.feed(protocol::frame(Frame::input, "first").substr(0, 3) + sent);
    BOOST_TEST(frames_of(reader) == "0:first 5:SIGINT 0:second ");
    BOOST_TEST(!reader.is_mid_frame());
}

BOOST_AUTO_TEST_CASE(control_frames_that_nobody_takes_are_bounded) {
    FrameWriter writer;
    for (int i = 0; i < 100'000; ++i) writer.control(Frame::resize, "1234");
    std::size_t waiting = 0;
    while (!writer.next().empty()) {
        waiting += writer.next().size();
        writer.sent(writer.next().size());
    }
    BOOST_TEST(waiting <= 65'536U + 12);
}

BOOST_AUTO_TEST_SUITE_END()
