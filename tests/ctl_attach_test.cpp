// mydocker-ctl in the foreground, in a child process at a real pty or at pipes, against a server
// that the test plays frame by frame: what it sends, what it shows, and that its terminal is always
// as it was.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/ctl_process.hpp"
#include "tests/pty.hpp"
#include "tests/stream_server.hpp"

using namespace mydocker::tests;
using mydocker::ctl::UniqueFd;
using mydocker::protocol::Frame;
namespace protocol = mydocker::protocol;

namespace {

// exec -it at a terminal, upgraded.
struct Attached {
    explicit Attached(std::vector<std::string> words = {"exec", "-it", "web", "sh"})
        : client(server, std::move(words), terminal.slave.get(), terminal.slave.get(),
                 terminal.slave.get(), true),
          connection(server.accept()) {
        connection.upgrade();
        BOOST_TEST(becomes_true([&] { return terminal.is_raw(); }));
    }
    void end(int code) {
        connection.send(Frame::end,
                        R"({"exit_code":)" + std::to_string(code) + R"(,"reason":"x"})");
    }
    Terminal terminal;
    StreamServer server;
    Client client;
    StreamConnection connection;
};

std::vector<pid_t> guards_of(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string stat = contents(entry.path() / "stat");
        const std::size_t name_end = stat.rfind(')');
        if (name_end == std::string::npos || stat.find("(terminal-guard)") == std::string::npos)
            continue;
        if (std::stoi(stat.substr(name_end + 4)) == parent)
            found.push_back(std::stoi(entry.path().filename()));
    }
    return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_attach)

BOOST_AUTO_TEST_CASE(keys_go_raw_and_the_terminal_comes_back) {
    Attached at;
    const auto body = nlohmann::json::parse(at.connection.body);
    BOOST_TEST(body["rows"] == 30);
    BOOST_TEST(body["cols"] == 100);
    BOOST_TEST(body["command"].dump() == R"(["sh"])");
    at.terminal.type("a\x03\x1a\r");
    std::string typed;
    while (typed.size() < 4) typed += at.connection.receive().value().payload;
    BOOST_TEST(typed == "a\x03\x1a\r");
    at.connection.send(Frame::output, "raw\nline");
    BOOST_TEST(at.terminal.shows("line") == "raw\nline");  // not "\r\n": nobody edits it
    const auto guards = guards_of(at.client.pid());
    BOOST_TEST(guards.size() == 1U);
    at.end(7);
    BOOST_TEST(at.client.exit_code() == 7);
    BOOST_TEST(at.terminal.is_as_before());
    for (const pid_t guard : guards) BOOST_TEST(::kill(guard, 0) != 0, "the guard is still there");
}

BOOST_AUTO_TEST_CASE(the_terminal_comes_back_when_the_client_is_killed) {
    for (const int signal : {SIGKILL, SIGSEGV, SIGALRM}) {
        Attached at;
        const auto guards = guards_of(at.client.pid());
        BOOST_TEST_REQUIRE(guards.size() == 1U);
        at.client.signal(signal);
        BOOST_TEST(at.client.exit_code() == 128 + signal);
        BOOST_TEST(becomes_true([&] { return at.terminal.is_as_before(); }));
        BOOST_TEST(becomes_true([&] { return ::kill(guards.front(), 0) != 0; }));
    }
}

BOOST_AUTO_TEST_CASE(the_terminal_comes_back_when_the_clients_whole_job_is_killed) {
    Attached at;
    ::kill(-at.client.pid(), SIGKILL);  // setsid() made it a group of its own
    BOOST_TEST(at.client.exit_code() == 128 + SIGKILL);
    BOOST_TEST(becomes_true([&] { return at.terminal.is_as_before(); }));
}

BOOST_AUTO_TEST_CASE(the_terminal_comes_back_when_the_daemon_is_gone) {
    Attached at;
    at.connection.close();
    BOOST_TEST(at.client.exit_code() == 125);
    BOOST_TEST(at.terminal.is_as_before());
    BOOST_TEST(
        at.terminal.shows("top web'.").find("mydockerd went away; the command may still run") !=
        std::string::npos);
}

BOOST_AUTO_TEST_CASE(nonsense_from_the_daemon_ends_it_with_the_terminal_restored) {
    Attached at;
    at.connection.send("HTTP/1.1 200 OK\r\n");
    BOOST_TEST(at.client.exit_code() == 125);
    BOOST_TEST(at.terminal.is_as_before());
}

BOOST_AUTO_TEST_CASE(signals_from_others_restore_the_terminal_and_go_on_to_the_workload) {
    for (const auto& [number, name] : {std::pair{SIGTERM, "SIGTERM"},
                                       {SIGHUP, "SIGHUP"},
                                       {SIGINT, "SIGINT"},
                                       {SIGQUIT, "SIGQUIT"}}) {
        Attached at;
        at.client.signal(number);
        const auto frame = at.connection.receive();
        BOOST_TEST_REQUIRE(frame.has_value());
        BOOST_TEST((frame->type == Frame::signal));
        BOOST_TEST(frame->payload == name);
        BOOST_TEST(at.terminal.is_as_before());
        at.end(128 + number);
        BOOST_TEST(at.client.exit_code() == 128 + number);
    }
}

BOOST_AUTO_TEST_CASE(a_resize_is_told) {
    Attached at;
    const winsize size{50, 132, 0, 0};
    ::ioctl(at.terminal.master.get(), TIOCSWINSZ, &size);
    const auto frame = at.connection.receive();
    BOOST_TEST_REQUIRE(frame.has_value());
    BOOST_TEST((frame->type == Frame::resize));
    BOOST_TEST(protocol::get16(frame->payload) == 50);
    BOOST_TEST(protocol::get16(std::string_view(frame->payload).substr(2)) == 132);
    at.end(0);
    BOOST_TEST(at.client.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(detach_keys_leave_it) {
    Attached at;
    at.terminal.type("ls\r\x10\x11");
    BOOST_TEST(at.client.exit_code() == 0);
    BOOST_TEST(at.terminal.is_as_before());
    BOOST_TEST(at.connection.receive().value().payload == "ls\r");
    BOOST_TEST(!at.connection.receive());  // and no end of input
    BOOST_TEST(at.terminal.shows("hangs up").find("left web; the command's terminal hangs up") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(other_detach_keys_or_none) {
    {
        Attached at({"exec", "-it", "--detach-keys", "ctrl-],q", "web", "sh"});
        at.terminal.type("\x10\x11\x1dq");
        BOOST_TEST(at.client.exit_code() == 0);
        BOOST_TEST(at.connection.receive().value().payload == "\x10\x11");
    }
    Attached at({"exec", "-it", "--detach-keys=", "web", "sh"});
    at.terminal.type("\x10\x11");
    BOOST_TEST(at.connection.receive().value().payload == "\x10\x11");
    at.end(0);
    BOOST_TEST(at.client.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(a_stopped_client_is_raw_again_when_it_goes_on) {
    Attached at;
    at.client.signal(SIGSTOP);
    int status = 0;
    BOOST_TEST(
        becomes_true([&] { return ::waitpid(at.client.pid(), &status, WNOHANG | WUNTRACED) > 0; }));
    ::tcsetattr(at.terminal.slave.get(), TCSANOW, &at.terminal.before);  // as its shell does
    at.client.signal(SIGCONT);
    BOOST_TEST(becomes_true([&] { return at.terminal.is_raw(); }));
    at.end(0);
    BOOST_TEST(at.client.exit_code() == 0);
    BOOST_TEST(at.terminal.is_as_before());
}

BOOST_AUTO_TEST_CASE(a_terminal_that_hangs_up_ends_it) {
    Attached at;
    at.terminal.slave = UniqueFd();
    at.terminal.master = UniqueFd();
    BOOST_TEST(at.client.exit_code() == 125);
}

BOOST_AUTO_TEST_CASE(keys_need_a_terminal) {
    StreamServer server;
    const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"exec", "-it", "web", "sh"}, {"run", "-ti", "sh"}}) {
        Pipe err;
        Client client(server, words, nothing.get(), nothing.get(), err.write.get());
        err.write = UniqueFd();
        BOOST_TEST(client.exit_code() == 125);
        BOOST_TEST(err.rest().find("standard input is no terminal") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(piped_input_arrives_whole_and_ends) {
    StreamServer server;
    Pipe in, out;
    Client client(server, {"exec", "-i", "web", "cat"}, in.read.get(), out.write.get(), 2);
    in.read = UniqueFd();
    std::string sent(3'000'000, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7919 >> 5);
    std::thread feeder([&] {
        for (std::size_t at = 0; at < sent.size();)
            at += static_cast<std::size_t>(
                ::write(in.write.get(), sent.data() + at, sent.size() - at));
        in.write = UniqueFd();
    });
    StreamConnection connection = server.accept();
    BOOST_TEST(nlohmann::json::parse(connection.body)["tty"] == false);
    connection.upgrade();
    // Without a credit no more comes than the window.
    std::string got;
    while (got.size() < protocol::window) got += connection.receive().value().payload;
    BOOST_TEST(got.size() == protocol::window);
    BOOST_TEST(!connection.receive(200));
    for (std::size_t taken = got.size(); true;) {
        connection.credit(taken);
        const auto frame = connection.receive();
        BOOST_TEST_REQUIRE(frame.has_value());
        if (frame->payload.empty()) break;
        got += frame->payload;
        taken = frame->payload.size();
    }
    feeder.join();
    BOOST_TEST((got == sent));
    connection.send(Frame::end, R"({"exit_code":0,"reason":""})");
    BOOST_TEST(client.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(output_and_error_stay_apart) {
    StreamServer server;
    Pipe out, err;
    const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Client client(server, {"exec", "web", "x"}, nothing.get(), out.write.get(), err.write.get());
    out.write = UniqueFd();
    err.write = UniqueFd();
    StreamConnection connection = server.accept();
    connection.upgrade();
    connection.send(Frame::output, "one");
    connection.send(Frame::error, "two\n");
    connection.send(Frame::output, std::string("\0three", 6));
    connection.send(Frame::end, R"({"exit_code":130,"reason":""})");
    BOOST_TEST(client.exit_code() == 130);
    BOOST_TEST(out.rest() == std::string("one\0three", 9));
    BOOST_TEST(err.rest() == "two\n");
}

BOOST_AUTO_TEST_CASE(a_full_pipe_of_ours_stops_the_daemon_and_loses_nothing) {
    StreamServer server;
    Pipe in, out;
    Client client(server, {"exec", "-i", "web", "x"}, in.read.get(), out.write.get(), 2);
    out.write = UniqueFd();
    StreamConnection connection = server.accept();
    connection.upgrade();
    // Nobody reads its stdout: a bounded number of bytes is taken from us.
    const std::string piece = protocol::frame(Frame::output, std::string(50'000, 'x'));
    std::string unsent;
    std::size_t frames = 0;
    while (unsent.empty() && frames < 1000) {
        const ssize_t sent = ::send(connection.fd(), piece.data(), piece.size(), MSG_DONTWAIT);
        if (sent < 0) {
            if (!is_ready(connection.fd(), POLLOUT, 500)) break;
            continue;
        }
        ++frames;
        unsent = piece.substr(static_cast<std::size_t>(sent));
    }
    BOOST_TEST(frames < 200U);
    // Meanwhile its own input and signals still come.
    BOOST_TEST(::write(in.write.get(), "hello", 5) == 5);
    BOOST_TEST(connection.receive().value().payload == "hello");
    client.signal(SIGTERM);
    BOOST_TEST(connection.receive().value().payload == "SIGTERM");
    std::string shown;
    std::thread reader([&] { shown = out.rest(); });
    connection.send(unsent);
    connection.send(Frame::end, R"({"exit_code":0,"reason":""})");
    BOOST_TEST(client.exit_code() == 0);
    reader.join();
    BOOST_TEST(shown.size() == frames * 50'000);
}

BOOST_AUTO_TEST_CASE(run_attaches_before_it_starts) {
    StreamServer server;
    Pipe out;
    const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Client client(server, {"run", "-i", "cat"}, nothing.get(), out.write.get(), 2);
    out.write = UniqueFd();
    StreamConnection create = server.accept();
    BOOST_TEST(nlohmann::json::parse(create.body)["container"]["stdin_open"] == true);
    create.answer_json(R"({"id":"abc","name":"web","warnings":[]})", "201 Created");
    StreamConnection attach = server.accept();
    BOOST_TEST(attach.request.starts_with(
        "POST /v1/containers/abc/attach?stdin=1&await=1&once=1 HTTP/1.1\r\n"));
    BOOST_TEST(attach.request.find("\r\nUpgrade: mydocker-stream\r\n") != std::string::npos);
    attach.upgrade();
    StreamConnection start = server.accept();
    BOOST_TEST(start.request.starts_with("POST /v1/containers/abc/start "));
    start.answer_json("{}");
    BOOST_TEST(attach.receive().value().payload == "");  // /dev/null's end
    attach.send(Frame::output, "done\n");
    attach.send(Frame::end, R"({"exit_code":3,"reason":""})");
    BOOST_TEST(client.exit_code() == 3);
    BOOST_TEST(out.rest() == "done\n");
}

BOOST_AUTO_TEST_CASE(a_refused_start_is_what_run_tells) {
    StreamServer server;
    Pipe err;
    const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Client client(server, {"run", "nosuch"}, nothing.get(), nothing.get(), err.write.get());
    err.write = UniqueFd();
    server.accept().answer_json(R"({"id":"abc","name":"web"})", "201 Created");
    StreamConnection attach = server.accept();
    attach.upgrade();
    StreamConnection start = server.accept();
    attach.close();  // even when its end is seen first
    start.answer_json(R"({"error":"execute nosuch in web: not found","exit_code":127})",
                      "500 Internal Server Error");
    BOOST_TEST(client.exit_code() == 127);
    BOOST_TEST(err.rest() == "mydocker-ctl: execute nosuch in web: not found\n");
}

BOOST_AUTO_TEST_CASE(attach_asks_what_the_container_has) {
    StreamServer server;
    Pipe in;
    const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Client client(server, {"attach", "--sig-proxy=false", "web"}, in.read.get(), nothing.get(), 2);
    server.accept().answer_json(R"({"config":{"tty":true,"stdin_open":false}})");
    StreamConnection attach = server.accept();
    BOOST_TEST(attach.request.starts_with("POST /v1/containers/web/attach HTTP/1.1\r\n"));
    attach.upgrade();
    attach.send(Frame::output, "x");
    client.signal(SIGINT);
    BOOST_TEST(client.exit_code() == 130);
}

BOOST_AUTO_TEST_CASE(attach_asks_for_the_screen_to_be_drawn_again) {
    Terminal terminal;
    StreamServer server;
    Client client(server, {"attach", "web"}, terminal.slave.get(), terminal.slave.get(),
                  terminal.slave.get(), true);
    server.accept().answer_json(R"({"config":{"tty":true,"stdin_open":true}})");
    StreamConnection attach = server.accept();
    BOOST_TEST(attach.request.starts_with(
        "POST /v1/containers/web/attach?stdin=1&rows=30&cols=100 HTTP/1.1\r\n"));
    attach.upgrade();
    for (const int columns : {101, 100}) {
        const auto frame = attach.receive();
        BOOST_TEST_REQUIRE(frame.has_value());
        BOOST_TEST((frame->type == Frame::resize));
        BOOST_TEST(protocol::get16(std::string_view(frame->payload).substr(2)) == columns);
    }
    attach.send(Frame::end, R"({"exit_code":0,"reason":""})");
    BOOST_TEST(client.exit_code() == 0);
    BOOST_TEST(terminal.is_as_before());
}

BOOST_AUTO_TEST_SUITE_END()
