// The framed stream's pieces: frames in and out of bytes, the workload's ends of it, and what of a
// log outlives its rotation for a client that is attached.
#include "supervisor/protocol/stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "runtime/stdio.hpp"
#include "supervisor/api/client_input.hpp"
#include "supervisor/input_end.hpp"
#include "supervisor/log_reader.hpp"
#include "supervisor/output_end.hpp"
#include "tests/scratch.hpp"

using namespace mydocker;
using namespace mydocker::supervisor;
using protocol::Frame;

namespace {

std::string drain(int fd) {
    std::string all;
    char buffer[65536];
    for (ssize_t count = 0; (count = ::read(fd, buffer, sizeof buffer)) > 0;)
        all.append(buffer, static_cast<std::size_t>(count));
    return all;
}

// A pipe whose reading end is the test's.
struct Reader {
    runtime::Pipe pipe = runtime::make_pipe();
    Reader() {
        ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
        ::fcntl(pipe.write.get(), F_SETFL, O_NONBLOCK);
    }
    bool at_end() {
        char byte = 0;
        return ::read(pipe.read.get(), &byte, 1) == 0;
    }
};

api::Session::FrameIn input(std::string bytes) { return {Frame::input, std::move(bytes)}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(stream)

BOOST_AUTO_TEST_CASE(frames_survive_the_wire) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{255},
                                   std::size_t{65536}, protocol::max_frame_bytes}) {
        const std::string bytes = protocol::frame(Frame::error, std::string(size, 'x'));
        BOOST_TEST(bytes.size() == protocol::frame_header_bytes + size);
        const auto header = protocol::decode(bytes);
        BOOST_REQUIRE(header.has_value());
        BOOST_TEST((header->type == Frame::error));
        BOOST_TEST(header->size == size);
    }
    BOOST_TEST(!protocol::decode(std::string("\11\0\0\0\0\0\0\0", 8)));  // no such type
    BOOST_TEST(!protocol::decode(std::string("\0\1\0\0\0\0\0\0", 8)));  // no zeros
    BOOST_TEST(!protocol::decode(std::string("\0\0\0\0\0\4\0\1", 8)));  // a byte too long
    BOOST_TEST(protocol::decode(std::string("\0\0\0\0\0\4\0\0", 8)).has_value());
    std::string numbers;
    protocol::put16(numbers, 0xfedc);
    protocol::put32(numbers, 0x89abcdef);
    BOOST_TEST(protocol::get16(numbers) == 0xfedc);
    BOOST_TEST(protocol::get32(std::string_view(numbers).substr(2)) == 0x89abcdef);
}

BOOST_AUTO_TEST_CASE(input_that_does_not_fit_stays_with_its_client) {
    asio::io_context loop;
    InputEnd end(loop.get_executor());
    Waker waker(loop.get_executor());
    Reader reader;
    BOOST_TEST(end.write("before any workload") == 0U);
    end.open(std::move(reader.pipe.write), false);
    api::ClientInput client(&end, &end, nullptr);
    const std::string piece(protocol::window, 'a');
    BOOST_TEST(client.take(input(piece)));
    const std::uint32_t first = client.credit();
    BOOST_TEST(first < piece.size());
    BOOST_TEST(client.take(input("")));  // the end waits its turn
    std::string seen = drain(reader.pipe.read.get());
    for (int i = 0; i < 100 && seen.size() < piece.size(); ++i) {
        loop.restart();
        loop.poll();  // the pipe has room again
        client.pump();
        seen += drain(reader.pipe.read.get());
    }
    BOOST_TEST(seen == piece);
    BOOST_TEST(first + client.credit() == piece.size());
    BOOST_TEST(reader.at_end());
    BOOST_TEST(!client.take(input("after its end")));
}

BOOST_AUTO_TEST_CASE(more_than_the_window_breaks_the_rules) {
    asio::io_context loop;
    InputEnd end(loop.get_executor());  // no workload: nothing is taken
    api::ClientInput client(&end, &end, nullptr);
    BOOST_TEST(client.take(input(std::string(protocol::window, 'a'))));
    BOOST_TEST(!client.take(input("b")));
    BOOST_TEST(!client.take({Frame::output, "what a client never sends"}));
    BOOST_TEST(!client.take({Frame::resize, "123"}));
    BOOST_TEST(!client.take({Frame::signal, "SIGNONSENSE"}));
}

BOOST_AUTO_TEST_CASE(a_reader_that_has_gone_swallows_input) {
    asio::io_context loop;
    InputEnd end(loop.get_executor());
    Reader reader;
    end.open(std::move(reader.pipe.write), false);
    reader.pipe.read.reset();
    BOOST_TEST(end.write("abc") == 3U);
    BOOST_TEST(end.write("def") == 3U);
    Reader next;  // another attempt
    end.open(std::move(next.pipe.write), false);
    BOOST_TEST(end.write("ghi") == 3U);
    BOOST_TEST(drain(next.pipe.read.get()) == "ghi");
}

BOOST_AUTO_TEST_CASE(every_attempt_is_told_that_input_has_ended) {
    asio::io_context loop;
    InputEnd end(loop.get_executor());
    api::ClientInput client(&end, &end, nullptr);
    BOOST_TEST(client.take(input("x")));
    BOOST_TEST(client.take(input("")));
    Reader first;
    end.open(std::move(first.pipe.write), false);
    client.pump();
    BOOST_TEST(drain(first.pipe.read.get()) == "x");
    BOOST_TEST(first.at_end());
    Reader second;
    end.open(std::move(second.pipe.write), false);
    client.pump();
    BOOST_TEST(second.at_end());
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_ends_stdin_only_when_it_said_so) {
    asio::io_context loop;
    for (const bool once : {false, true}) {
        InputEnd end(loop.get_executor());
        Reader reader;
        end.open(std::move(reader.pipe.write), false);
        api::ClientInput client(&end, &end, nullptr);
        client.leave(once);
        BOOST_TEST(reader.at_end() == once);
    }
}

BOOST_AUTO_TEST_CASE(a_terminal_has_its_size_and_its_end) {
    runtime::UniqueFd ptmx(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    BOOST_REQUIRE(ptmx);
    runtime::Stdio stdio = runtime::make_terminal(std::move(ptmx), {});
    asio::io_context loop;
    InputEnd end(loop.get_executor());
    end.resize({33, 99});  // before the terminal is there: remembered
    end.open(std::move(stdio.input), true);
    winsize size{};
    BOOST_REQUIRE(::ioctl(stdio.slave.get(), TIOCGWINSZ, &size) == 0);
    BOOST_TEST(size.ws_row == 33);
    BOOST_TEST(size.ws_col == 99);
    BOOST_TEST(::ttyname(stdio.theirs[0].get()) != nullptr);
    BOOST_TEST(end.write("hello") == 5U);
    BOOST_TEST(end.end());  // ^D: the line goes as it is
    char buffer[16];
    BOOST_TEST(::read(stdio.theirs[0].get(), buffer, sizeof buffer) == 5);
    OutputEnd output(loop.get_executor());
    output.open(std::move(stdio.output[0]));
    BOOST_TEST(output.read(100) == "hello");  // the echo
    BOOST_REQUIRE(::write(stdio.theirs[1].get(), "a\n", 2) == 2);
    BOOST_TEST(output.read(100) == "a\r\n");
    BOOST_TEST(output.read(100).empty());
}

BOOST_AUTO_TEST_CASE(what_an_attached_client_has_not_read_outlives_rotation) {
    const mydocker::tests::Scratch scratch;
    LogFiles files(scratch / "log", {.max_size = 4096, .max_files = 2});
    const std::string record =
        "2026-01-31T12:00:00.123456789Z stdout F " + std::string(100, 'x') + "\n";
    LogReader reader(files, files.end());
    LogReader idle(files, files.end());
    std::string seen;
    {
        const LogHold hold(files, reader);
        for (int i = 0; i < 1000; ++i) files.append(record);
        BOOST_TEST(files.begin().file == 1U);
        for (std::string text; !(text = reader.next()).empty();) seen += text;
        BOOST_TEST(reader.skipped() == 0U);
        BOOST_TEST(seen.size() == 1000 * record.size());
    }
    BOOST_TEST(files.end().file - files.begin().file == 1U);  // max_files again
    idle.next();
    BOOST_TEST(idle.skipped() > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
