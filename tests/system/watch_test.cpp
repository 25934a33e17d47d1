// `watch` at a real terminal that the test types at: what it shows and does, that a new size and a
// daemon that comes back do not break it, and that the terminal is always as it was.
#include <signal.h>
#include <sys/ioctl.h>

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "tests/pty.hpp"
#include "tests/system/harness.hpp"
#include "tools/ctl/program.hpp"

using namespace mydocker::tests;

namespace {

constexpr std::size_t most_seen = 256UL * 1024;

struct Viewer {
    explicit Viewer(const Daemon& daemon)
        : client(
              [&] {
                  ::setenv("TERM", "xterm", 1);
                  return mydocker::ctl::run_program({"-H", daemon.socket(), "watch"});
              },
              terminal.slave.get(), terminal.slave.get(), terminal.slave.get(), true) {}

    // Curses sends what has changed only: the whole screen is asked for again and again (^L).
    bool shows(const std::string& text) {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (!contains(terminal.screen, text)) {
            if (std::chrono::steady_clock::now() >= deadline) return false;
            // What is kept is bounded, and the text may come in two pieces.
            if (terminal.screen.size() > most_seen)
                terminal.screen.erase(0, terminal.screen.size() - text.size());
            if (!is_ready(terminal.master.get(), POLLIN, 200)) {
                terminal.type("\x0c");
                continue;
            }
            char buffer[4096];
            const ssize_t count = ::read(terminal.master.get(), buffer, sizeof buffer);
            if (count <= 0) return false;
            terminal.screen.append(buffer, static_cast<std::size_t>(count));
        }
        return true;
    }
    // Whether the text appears after these keys.
    bool answers(const std::string& keys, const std::string& text) {
        terminal.screen.clear();
        terminal.type(keys);
        return shows(text);
    }
    Terminal terminal;
    SessionProcess client;
};

constexpr auto leaves_screen = "\x1b[?1049l";

}  // namespace

BOOST_AUTO_TEST_SUITE(watch)

BOOST_AUTO_TEST_CASE(it_shows_stops_follows_and_goes) {
    const Daemon daemon;
    BOOST_REQUIRE_EQUAL(
        daemon.ctl({"run", "-d", "--name", "web", "sh", "-c", "echo from-inside; exec sleep 1000"})
            .status,
        0);
    Viewer seat(daemon);
    BOOST_REQUIRE(seat.shows("running"));
    BOOST_CHECK(seat.shows("web "));
    BOOST_CHECK(seat.terminal.is_raw());

    const winsize size{12, 60, 0, 0};
    ::ioctl(seat.terminal.master.get(), TIOCSWINSZ, &size);
    BOOST_CHECK(seat.answers("l", "from-inside"));
    const winsize tiny{1, 1, 0, 0};
    ::ioctl(seat.terminal.master.get(), TIOCSWINSZ, &tiny);
    ::ioctl(seat.terminal.master.get(), TIOCSWINSZ, &size);
    BOOST_CHECK(seat.answers("q", "s stop"));
    BOOST_CHECK(seat.answers("s", "stopped web"));
    BOOST_CHECK_EQUAL(daemon.state("web"), "exited");

    BOOST_CHECK(seat.answers("q", leaves_screen));
    BOOST_CHECK_EQUAL(seat.client.exit_code(), 0);
    BOOST_CHECK(seat.terminal.is_as_before());
}

BOOST_AUTO_TEST_CASE(killing_is_asked_for) {
    const Daemon daemon;
    BOOST_REQUIRE_EQUAL(daemon.ctl({"run", "-d", "--name", "web", "sleep", "1000"}).status, 0);
    Viewer seat(daemon);
    BOOST_REQUIRE(seat.shows("running"));
    BOOST_CHECK(seat.answers("k", "Kill web? y/n"));
    BOOST_CHECK(seat.answers("n", "s stop"));
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
    BOOST_CHECK(seat.answers("k", "Kill web? y/n"));
    BOOST_CHECK(seat.answers("y", "killed web"));
    BOOST_CHECK(daemon.reaches("web", "failed"));
}

BOOST_AUTO_TEST_CASE(signals_leave_the_terminal_in_order) {
    const Daemon daemon;
    for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGKILL}) {
        Viewer seat(daemon);
        BOOST_REQUIRE(seat.shows("There are no containers"));
        BOOST_CHECK(!seat.terminal.is_as_before());
        seat.client.signal(signal);
        BOOST_CHECK_EQUAL(seat.client.exit_code(), 128 + signal);
        BOOST_CHECK(seat.shows(leaves_screen));  // after SIGKILL it is the guard's doing
        BOOST_CHECK(becomes_true([&] { return seat.terminal.is_as_before(); }));
    }
}

BOOST_AUTO_TEST_CASE(it_comes_back_with_the_daemon) {
    Daemon daemon;
    Viewer seat(daemon);
    BOOST_REQUIRE(seat.shows("There are no containers"));
    BOOST_REQUIRE_EQUAL(daemon.stop(), 0);
    BOOST_CHECK(seat.shows("mydockerd is away, reconnecting"));
    daemon.start();
    BOOST_REQUIRE_EQUAL(daemon.ctl({"run", "-d", "--name", "later", "sleep", "1000"}).status, 0);
    BOOST_CHECK(seat.shows("later"));
    seat.terminal.type("q");
    BOOST_CHECK_EQUAL(seat.client.exit_code(), 0);
    BOOST_CHECK(seat.terminal.is_as_before());
}

BOOST_AUTO_TEST_CASE(without_a_terminal_it_says_what_to_use) {
    const Daemon daemon;
    const Result result = daemon.ctl({"watch"});
    BOOST_CHECK_EQUAL(result.status, 125);
    BOOST_CHECK(contains(result.err, "mydocker-ctl stats"));
    BOOST_CHECK(contains(result.err, "mydocker-ctl ps"));
}

BOOST_AUTO_TEST_SUITE_END()
