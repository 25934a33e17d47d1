// Connections that break in the middle, against a server that the test plays: nothing is lost,
// nothing is doubled, nothing that changes anything is sent twice. And when a client gives up.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/ctl_process.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/positioned_log.hpp"
#include "tools/ctl/reconnection.hpp"

using namespace mydocker::tests;
using namespace std::chrono_literals;
using mydocker::ctl::FrameWriter;
using mydocker::ctl::PositionedLog;
using mydocker::ctl::Reconnection;
using mydocker::ctl::UniqueFd;
using mydocker::protocol::Frame;
namespace protocol = mydocker::protocol;

namespace {

const UniqueFd& nothing() {
    static const UniqueFd fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    return fd;
}

// mydocker-ctl with its output in pipes.
struct Run {
    Run(const StreamServer& server, std::vector<std::string> words, int in = nothing().get())
        : client(server, std::move(words), in, out.write.get(), err.write.get()) {
        out.write = UniqueFd();
        err.write = UniqueFd();
    }
    Pipe out, err;
    Client client;
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void position(StreamConnection& connection, std::uint64_t file, std::uint64_t byte) {
    connection.send(Frame::position, protocol::encode(protocol::Position{file, byte, 4}));
}

void begin_chunks(StreamConnection& connection) {
    connection.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

void chunk(StreamConnection& connection, const std::string& text) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    connection.send(size + text + "\r\n");
}

constexpr auto inspected = R"({"id":"abc","config":{"tty":false,"stdin_open":false}})";
constexpr auto inspected_input = R"({"id":"abc","config":{"tty":false,"stdin_open":true}})";

// What mydockerd sends for `logs?positions=1`, of these files, from there on.
std::string served(const std::vector<std::string>& files, std::uint64_t file, std::uint64_t byte) {
    std::string text;
    for (; file <= files.size(); ++file, byte = 0) {
        const std::string rest = files[file - 1].substr(byte);
        if (rest.empty()) continue;
        text += '@' + std::to_string(file) + ':' + std::to_string(byte) + " 0\n" + rest;
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_reconnect)

BOOST_AUTO_TEST_CASE(tries_come_at_once_and_then_more_and_more_seldom) {
    Reconnection again;
    auto now = Reconnection::Clock::time_point{} + 1h;
    again.connected(now);
    again.progressed();
    again.broke(now);
    BOOST_CHECK(again.next() == now);
    for (const auto delay : {50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        again.failed(now, ECONNREFUSED);
        BOOST_CHECK(again.next() == now + delay);
        now = again.next();
    }
    BOOST_TEST(again.note(now) == "the connection to mydockerd broke; reconnected after 3.5s");
    BOOST_TEST(again.hopeless(now) == "");
    BOOST_TEST(again.hopeless(again.deadline()) == "mydockerd did not come back within 30 s");
    // A connection that ends as it has begun does not begin the count anew; one that works does.
    again.connected(now);
    again.broke(now + 1ms);
    BOOST_CHECK(again.next() > now + 900ms);
    again.connected(now);
    again.broke(now + 2s);
    BOOST_CHECK(again.next() == now + 2s);
}

BOOST_AUTO_TEST_CASE(without_the_sockets_file_there_is_soon_no_hope) {
    Reconnection again;
    const auto now = Reconnection::Clock::time_point{} + 1h;
    again.broke(now);
    again.failed(now, ENOENT);
    BOOST_TEST(again.hopeless(now + 900ms) == "");
    BOOST_TEST(has(again.hopeless(now + 1s), "shut down"));
    again.failed(now + 900ms, ECONNREFUSED);  // there again: the next one binds it
    again.failed(now + 1s, ENOENT);
    BOOST_TEST(again.hopeless(now + 1500ms) == "");
}

BOOST_AUTO_TEST_CASE(a_log_goes_on_after_a_cut_at_every_byte) {
    const std::vector<std::string> files = {"t stdout F one\nt stderr F @1:2 not a position\n",
                                            "t stdout P @two\nt stdout F @\n",
                                            "t stdout F last@\n"};
    std::string whole;
    for (const std::string& file : files) whole += file;
    const std::string first = served(files, 1, 0);
    for (std::size_t cut = 0; cut <= first.size(); ++cut) {
        for (const std::size_t piece : {1UL, 3UL, 1000UL}) {
            std::string got;
            PositionedLog log([&](std::string_view text) { got += text; });
            const auto feed = [&](std::string_view text) {
                for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
                    log.feed(text.substr(0, piece));
            };
            feed(std::string_view(first).substr(0, cut));
            log.restart();
            std::uint64_t file = 1;
            std::uint64_t byte = 0;
            if (log.is_known()) {
                file = std::stoull(log.from());
                byte = std::stoull(log.from().substr(log.from().find(':') + 1));
            }
            feed(served(files, file, byte));
            BOOST_TEST(got == whole);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_was_rotated_away_is_told_and_ends_the_record_it_was_in) {
    std::string got;
    PositionedLog log([&](std::string_view text) { got += text; });
    log.feed("@1:0 3\nt stdout F on");
    BOOST_TEST(log.from() == "1:13");
    BOOST_TEST(log.attempt() == 3U);
    log.restart();
    log.feed("@5:0 3 t stderr F [older log was rotated away]\nt stdout F five\n");
    BOOST_TEST(got == "t stdout F on\nt stderr F [older log was rotated away]\nt stdout F five\n");
}

BOOST_AUTO_TEST_CASE(positions_that_are_none) {
    for (const std::string bad :
         {"@\n", "@1\n", "@1:x 0\n", "@0:0 0\n", "@1:2\n", "@1:2 x\n", "@-1:0 0\n"}) {
        PositionedLog log([](std::string_view) {});
        BOOST_CHECK_THROW(log.feed(bad), mydocker::ctl::Failure);
    }
    PositionedLog log([](std::string_view) {});
    BOOST_CHECK_THROW(log.feed('@' + std::string(2000, '1')), mydocker::ctl::Failure);
}

BOOST_AUTO_TEST_CASE(only_a_frame_that_did_not_go_whole_is_sent_again) {
    FrameWriter writer;
    writer.input("first");
    writer.end_input();
    writer.next();
    writer.sent(8 + 5 + 3);  // and a part of the end
    BOOST_TEST(writer.restart() == 5U);
    BOOST_TEST(writer.next() == protocol::frame(Frame::input, ""));
    writer.sent(8);
    BOOST_TEST(writer.is_idle());
    writer.input("second");
    writer.next();
    writer.sent(10);
    BOOST_TEST(writer.restart() == 0U);
    BOOST_TEST(writer.next() == protocol::frame(Frame::input, "second"));
    writer.sent(14);
    writer.credit(6);
    BOOST_CHECK_THROW(writer.credit(1), mydocker::ctl::Failure);
}

BOOST_AUTO_TEST_CASE(attach_goes_on_where_it_was) {
    StreamServer server;
    Run run(server, {"attach", "web"});
    server.accept().answer_json(inspected);
    {
        StreamConnection first = server.accept();
        first.upgrade();
        position(first, 1, 0);
        first.send(Frame::output, "one\n");
        first.send(Frame::error, "oops\n");
        position(first, 1, 40);
        // Shown only once its position is known: the next connection brings it again.
        first.send(Frame::output, "two\n");
        first.send(protocol::frame(Frame::output, "three\n").substr(0, 11));
    }
    server.accept().close();  // an attempt in vain
    StreamConnection second = server.accept();
    BOOST_TEST(second.request.starts_with(
        "POST /v1/containers/abc/attach?from=1:40&after=4 HTTP/1.1\r\n"));
    second.upgrade();
    position(second, 1, 40);
    second.send(Frame::output, "two\nthree\n");
    position(second, 1, 90);
    second.send(Frame::end, R"({"exit_code":3,"reason":""})");
    BOOST_TEST(run.client.exit_code() == 3);
    BOOST_TEST(run.out.rest() == "one\ntwo\nthree\n");
    const std::string err = run.err.rest();
    BOOST_TEST(
        err.starts_with("oops\nmydocker-ctl: the connection to mydockerd broke; "
                        "reconnected after "));
    BOOST_TEST(!has(err, "bytes of input"));
}

BOOST_AUTO_TEST_CASE(input_goes_on_and_what_may_be_lost_is_told) {
    StreamServer server;
    Pipe in;
    Run run(server, {"attach", "web"}, in.read.get());
    in.read = UniqueFd();
    server.accept().answer_json(inspected_input);
    BOOST_TEST(::write(in.write.get(), "hello", 5) == 5);
    {
        StreamConnection first = server.accept();
        first.upgrade();
        position(first, 1, 0);
        BOOST_TEST(first.receive().value().payload == "hello");
        first.credit(2);
        first.send(Frame::output, "x");
        position(first, 1, 9);
        std::string shown(1, '\0');
        BOOST_TEST(::read(run.out.read.get(), shown.data(), 1) == 1);
    }
    StreamConnection second = server.accept();
    BOOST_TEST(has(second.request, "?stdin=1&from=1:9&after=4 "));
    second.upgrade();
    position(second, 1, 9);
    BOOST_TEST(::write(in.write.get(), "more", 4) == 4);
    BOOST_TEST(second.receive().value().payload == "more");  // and not hello again
    in.write = UniqueFd();
    BOOST_TEST(second.receive().value().payload == "");
    second.credit(4);
    second.send(Frame::output, "y");
    position(second, 1, 10);
    BOOST_TEST(becomes_true([&] { return is_ready(run.out.read.get(), POLLIN, 0); }));
    second.close();
    StreamConnection third = server.accept();
    third.upgrade();
    position(third, 1, 10);
    BOOST_TEST(third.receive().value().payload == "");  // each connection has its own end
    third.send(Frame::end, R"({"exit_code":0,"reason":""})");
    BOOST_TEST(run.client.exit_code() == 0);
    BOOST_TEST(has(run.err.rest(), "; 3 bytes of input may not have arrived\n"));
}

BOOST_AUTO_TEST_CASE(a_terminal_stays_raw_and_silent_and_keys_typed_meanwhile_arrive) {
    Terminal terminal;
    StreamServer server;
    Client client(server, {"attach", "web"}, terminal.slave.get(), terminal.slave.get(),
                  terminal.slave.get(), true);
    server.accept().answer_json(R"({"id":"abc","config":{"tty":true,"stdin_open":true}})");
    {
        StreamConnection first = server.accept();
        first.upgrade();
        position(first, 1, 0);
        first.receive();
        first.receive();  // the redraw
        first.send(Frame::output, "$ ");
        position(first, 1, 44);
        BOOST_TEST(terminal.shows("$ ") == "$ ");
    }
    StreamConnection second = server.accept();
    terminal.type("ls");  // nobody has answered yet
    std::this_thread::sleep_for(100ms);
    terminal.type("\r");
    std::this_thread::sleep_for(100ms);
    BOOST_TEST(terminal.is_raw());
    const winsize size{50, 132, 0, 0};
    ::ioctl(terminal.master.get(), TIOCSWINSZ, &size);
    second.upgrade();
    position(second, 1, 44);
    const auto resized = second.receive();
    BOOST_TEST_REQUIRE(resized.has_value());
    BOOST_TEST((resized->type == Frame::resize));
    BOOST_TEST(protocol::get16(resized->payload) == 50);
    std::string typed;
    while (typed.size() < 3) typed += second.receive().value().payload;
    BOOST_TEST(typed == "ls\r");
    second.send(Frame::output, "file");
    position(second, 1, 90);
    BOOST_TEST(terminal.shows("file") == "$ file");
    second.close();
    server.accept();  // the detach keys are heard though nobody is there
    terminal.type("\x10\x11");
    BOOST_TEST(client.exit_code() == 0);
    BOOST_TEST(terminal.is_as_before());
}

BOOST_AUTO_TEST_CASE(run_goes_on_waiting_for_the_attempt_it_started) {
    StreamServer server;
    Run run(server, {"run", "-q", "true"});
    server.accept().answer_json(R"({"id":"abc","name":"web"})", "201 Created");
    StreamConnection first = server.accept();
    first.upgrade();
    position(first, 1, 0);
    server.accept().answer_json("{}");
    first.send(Frame::output, "a");
    position(first, 1, 40);
    BOOST_TEST(is_ready(run.out.read.get(), POLLIN));
    first.close();
    StreamConnection second = server.accept();
    BOOST_TEST(second.request.starts_with(
        "POST /v1/containers/abc/attach?await=1&from=1:40&after=4 HTTP/1.1\r\n"));
    second.upgrade();
    second.send(Frame::end, R"({"exit_code":9,"reason":""})");
    BOOST_TEST(run.client.exit_code() == 9);
    BOOST_TEST(run.out.rest() == "a");
    BOOST_TEST(run.err.rest() == "");  // -q
}

BOOST_AUTO_TEST_CASE(a_container_that_is_gone_by_then_is_told) {
    StreamServer server;
    Run run(server, {"attach", "web"});
    server.accept().answer_json(inspected);
    {
        StreamConnection first = server.accept();
        first.upgrade();
        position(first, 1, 0);
    }
    server.accept().answer_json(R"({"error":"there is no container abc"})", "404 Not Found");
    BOOST_TEST(run.client.exit_code() == 125);
    BOOST_TEST(run.err.rest() ==
               "mydocker-ctl: the connection to mydockerd broke, and then: there "
               "is no container abc\n");
}

BOOST_AUTO_TEST_CASE(a_shutdown_ends_clients_at_once) {
    StreamServer server;
    {
        Run run(server, {"attach", "web"});
        server.accept().answer_json(inspected);
        StreamConnection stream = server.accept();
        stream.upgrade();
        position(stream, 1, 0);
        stream.send(Frame::end, R"({"exit_code":null,"reason":"mydockerd is shutting down"})");
        BOOST_TEST(run.client.exit_code() == 125);
        BOOST_TEST(run.err.rest() == "mydocker-ctl: web: mydockerd is shutting down\n");
    }
    {
        Run run(server, {"logs", "-f", "web"});
        StreamConnection stream = server.accept();
        begin_chunks(stream);
        chunk(stream, "@1:0 0\n");
        stream.send("0\r\nMydocker-Failure: mydockerd is shutting down\r\n\r\n");
        BOOST_TEST(run.client.exit_code() == 125);
        BOOST_TEST(run.err.rest() == "mydocker-ctl: mydockerd is shutting down\n");
    }
    // Killed together with its keeper, and cleaned up after: no farewell, and no socket.
    const auto begin = std::chrono::steady_clock::now();
    Run run(server, {"attach", "web"});
    server.accept().answer_json(inspected);
    StreamConnection stream = server.accept();
    stream.upgrade();
    position(stream, 1, 0);
    ::unlink(server.path().c_str());
    stream.close();
    BOOST_TEST(run.client.exit_code() == 125);
    BOOST_TEST(has(run.err.rest(), "shut down: its socket is gone; web may go on"));
    BOOST_CHECK(std::chrono::steady_clock::now() - begin < 10s);
}

BOOST_AUTO_TEST_CASE(logs_go_on_in_the_middle_of_a_record) {
    StreamServer server;
    Run run(server, {"logs", "-f", "--tail", "5", "--attempt", "0", "web"});
    {
        StreamConnection first = server.accept();
        BOOST_TEST(
            first.request.starts_with("GET /v1/containers/web/logs?positions=1&follow=1&"
                                      "tail=5&attempt=0 HTTP/1.1\r\n"));
        begin_chunks(first);
        chunk(first,
              "@2:100 6\n2026-01-31T12:00:00Z stdout F one\n2026-01-31T12:00:00Z stdout F t");
        first.send("7\r\nwo");  // a chunk that is cut
    }
    StreamConnection second = server.accept();
    // The bytes of the log it has got, and the attempt that was the last one then.
    BOOST_TEST(second.request.starts_with("GET /v1/containers/web/logs?positions=1&follow=1&"
                                          "from=2:167&attempt=6 HTTP/1.1\r\n"),
               second.request);
    begin_chunks(second);
    chunk(second, "@2:167 6\n\n2026-01-31T12:00:00Z stdout F three\n");
    second.send("0\r\n\r\n");
    BOOST_TEST(run.client.exit_code() == 0);
    BOOST_TEST(run.out.rest() == "one\ntwo\nthree\n");
    BOOST_TEST(has(run.err.rest(), "reconnected after"));
}

BOOST_AUTO_TEST_CASE(events_are_counted_on_or_a_new_mydockerd_is_told) {
    StreamServer server;
    Run run(server, {"events", "--format", "json", "web"});
    {
        StreamConnection first = server.accept();
        BOOST_TEST(first.request.starts_with(
            "GET /v1/events?follow=1&container=web&instance= HTTP/1.1\r\n"));
        begin_chunks(first);
        chunk(first,
              "{\"type\":\"instance\",\"instance\":\"i1\",\"seq\":7}\n"
              "{\"type\":\"state\",\"seq\":9}\n{\"type\":\"sta");
    }
    {
        StreamConnection second = server.accept();
        BOOST_TEST(second.request.starts_with(
            "GET /v1/events?follow=1&container=web&since=9&instance=i1 HTTP/1.1\r\n"));
        begin_chunks(second);
        chunk(second,
              "{\"type\":\"instance\",\"instance\":\"i1\",\"seq\":9}\n"
              "{\"type\":\"state\",\"seq\":12}\n");
    }
    {
        StreamConnection third = server.accept();
        BOOST_TEST(has(third.request, "&since=12&instance=i1 "));
        begin_chunks(third);
        chunk(third,
              "{\"type\":\"instance\",\"instance\":\"i2\",\"seq\":0}\n"
              "{\"type\":\"replaced\",\"instance\":\"i2\",\"seq\":0,\"reason\":\"r\"}\n");
    }
    StreamConnection fourth = server.accept();
    BOOST_TEST(has(fourth.request, "&since=0&instance=i2 "));
    begin_chunks(fourth);
    chunk(fourth, "{\"type\":\"state\",\"seq\":1}\n");
    fourth.send("0\r\n\r\n");
    BOOST_TEST(run.client.exit_code() == 0);
    BOOST_TEST(run.out.rest() ==
               "{\"type\":\"state\",\"seq\":9}\n{\"type\":\"state\",\"seq\":12}\n"
               "{\"type\":\"replaced\",\"instance\":\"i2\",\"seq\":0,\"reason\":\"r\"}\n"
               "{\"type\":\"state\",\"seq\":1}\n");
}

BOOST_AUTO_TEST_CASE(wait_asks_again_for_the_same_attempt) {
    StreamServer server;
    Run run(server, {"wait", "web"});
    server.accept().answer_json(R"({"attempt":4,"finished":""})");
    for (int i = 0; i < 3; ++i) {
        StreamConnection broken = server.accept();
        BOOST_TEST(
            broken.request.starts_with("POST /v1/containers/web/wait?attempt=4 HTTP/1.1\r\n"));
    }
    server.accept().answer_json(R"({"exit_code":7,"state":"running","reason":""})");
    BOOST_TEST(run.client.exit_code() == 7);
    BOOST_TEST(run.out.rest() == "7\n");
}

BOOST_AUTO_TEST_CASE(the_next_exit_is_that_of_the_next_attempt) {
    StreamServer server;
    Run run(server, {"wait", "--condition", "next-exit", "web"});
    server.accept().answer_json(R"({"attempt":4,"finished":"2026-01-31T12:00:00Z"})");
    StreamConnection wait = server.accept();
    BOOST_TEST(has(wait.request, "/wait?condition=next-exit&attempt=5 "));
    wait.answer_json(R"({"exit_code":0})");
    BOOST_TEST(run.client.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(what_changes_something_is_not_sent_twice) {
    for (const auto& [words, look] :
         {std::pair{std::vector<std::string>{"restart", "web"}, "'mydocker-ctl status web'"},
          {{"rm", "web"}, "'mydocker-ctl status web'"},
          {{"create", "true"}, "'mydocker-ctl ps -a'"},
          {{"reload"}, "'mydocker-ctl ps -a'"}}) {
        StreamServer server;
        Run run(server, words);
        server.accept().close();
        BOOST_TEST((run.client.exit_code() == 1 || run.client.exit_code() == 125));
        const std::string err = run.err.rest();
        BOOST_TEST(has(err, "mydockerd went away before it answered; look with "), err);
        BOOST_TEST(has(err, look), err);
        BOOST_TEST(!server.is_asked());
    }
}

BOOST_AUTO_TEST_CASE(a_stop_comes_to_the_same_twice) {
    StreamServer server;
    Run run(server, {"stop", "-t", "5", "web"});
    server.accept().close();
    StreamConnection again = server.accept();
    BOOST_TEST(again.request.starts_with("POST /v1/containers/web/stop?timeout=5 HTTP/1.1\r\n"));
    again.answer_json(R"({"state":"exited"})");
    BOOST_TEST(run.client.exit_code() == 0);
    BOOST_TEST(run.out.rest() == "web\n");
}

BOOST_AUTO_TEST_CASE(what_changes_nothing_is_sent_once_more) {
    StreamServer server;
    {
        Run run(server, {"inspect", "web"});
        server.accept().close();
        server.accept().answer_json(R"([])");
        BOOST_TEST(run.client.exit_code() == 0);
    }
    for (const bool answers : {false, true}) {  // but not for ever, and not after half an answer
        Run run(server, {"inspect", "web"});
        if (!answers) server.accept().close();
        StreamConnection last = server.accept();
        if (answers) last.send("HTTP/1.1 200 OK\r\n");
        last.close();
        BOOST_TEST(run.client.exit_code() != 0);
        BOOST_TEST(!server.is_asked());
    }
}

BOOST_AUTO_TEST_SUITE_END()
