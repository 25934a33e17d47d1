// Clients whose connection to mydockerd is cut, by a proxy between them, as often and wherever it
// may be: nothing of what a container writes is missing or doubled, and its exit code is right.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <list>
#include <thread>

#include "runtime/unique_fd.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using mydocker::runtime::UniqueFd;

namespace {

volatile sig_atomic_t cut = 0;

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

struct Link {
    UniqueFd client, daemon;
};

// Passes on what there is, a few bytes at a time, so that a cut falls anywhere. False at its end.
bool pass(const UniqueFd& from, const UniqueFd& to) {
    char bytes[777];
    const ssize_t count = ::read(from.get(), bytes, sizeof bytes);
    return count > 0 &&
           ::send(to.get(), bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL) == count;
}

// The proxy's main(): SIGUSR1 cuts all connections.
int relay(const std::string& socket, const std::string& daemon) {
    struct sigaction action {};
    action.sa_handler = [](int) { cut = 1; };
    ::sigaction(SIGUSR1, &action, nullptr);
    const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un own = address_of(socket);
    const sockaddr_un other = address_of(daemon);
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) < 0 ||
        ::listen(listener.get(), 64) < 0)
        return 1;
    std::list<Link> links;
    for (;;) {
        if (std::exchange(cut, 0) != 0) links.clear();
        std::vector<pollfd> waiting{{listener.get(), POLLIN, 0}};
        for (const Link& link : links) {
            waiting.push_back({link.client.get(), POLLIN, 0});
            waiting.push_back({link.daemon.get(), POLLIN, 0});
        }
        if (::poll(waiting.data(), waiting.size(), 50) <= 0) continue;
        std::size_t at = 1;
        for (auto it = links.begin(); it != links.end(); at += 2) {
            const bool open = (waiting[at].revents == 0 || pass(it->client, it->daemon)) &&
                              (waiting[at + 1].revents == 0 || pass(it->daemon, it->client));
            it = open ? std::next(it) : links.erase(it);
        }
        if (waiting[0].revents == 0) continue;
        Link link{UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)),
                  UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))};
        if (::connect(link.daemon.get(), reinterpret_cast<const sockaddr*>(&other), sizeof other) ==
            0)
            links.push_back(std::move(link));
    }
}

struct Proxy {
    explicit Proxy(const Daemon& daemon)
        : socket(directory / "socket"),
          process([path = socket, to = daemon.socket().string()] { return relay(path, to); }) {
        BOOST_REQUIRE(eventually([&] { return std::filesystem::exists(socket); }));
    }
    std::vector<std::string> ctl(std::vector<std::string> words) const {
        words.insert(words.begin(), {program("mydocker-ctl"), "-H", socket});
        return words;
    }
    Directory directory;
    std::string socket;
    Process process;
};

constexpr int lines = 4000;
constexpr int cuts = 20;

std::string numbers() {
    std::string text;
    for (int i = 1; i <= lines; ++i) text += "line " + std::to_string(i) + "\n";
    return text;
}

// Ends with 7; its log is rotated again and again.
constexpr auto counting = R"([container.web]
autostart = "no"
command = ["sh", "-c", "i=0; while [ $i -lt 4000 ]; do i=$((i+1)); echo line $i; [ $((i % 50)) = 0 ] && sleep 0.4; done; exit 7"]
logging = { max_size = "16k", max_files = 50 }
)";

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++count;
    return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reconnect)

BOOST_AUTO_TEST_CASE(twenty_cuts_lose_and_double_nothing) {
    const Daemon daemon(counting);
    const Proxy proxy(daemon);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"start", "web"}).status, 0);
    Process logs(proxy.ctl({"logs", "-f", "web"}));
    Process wait(proxy.ctl({"wait", "web"}));
    Process attached(proxy.ctl({"attach", "--no-stdin", "web"}));
    BOOST_REQUIRE(eventually([&] { return contains(attached.out(), "line "); }));
    BOOST_REQUIRE(eventually([&] { return contains(logs.out(), "line "); }));
    for (int i = 0; i < cuts; ++i) {
        // Each of them has come back and got on.
        const std::size_t before[] = {attached.out().size(), logs.out().size()};
        proxy.process.signal(SIGUSR1);
        BOOST_REQUIRE(eventually(
            [&] { return attached.out().size() > before[0] && logs.out().size() > before[1]; }));
    }
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");  // so the cuts fell within it
    BOOST_CHECK(attached.wait() == 7);
    BOOST_CHECK(logs.wait() == 0);
    BOOST_CHECK(wait.wait() == 7);
    BOOST_CHECK_EQUAL(wait.out(), "7\n");
    BOOST_CHECK(logs.out() == numbers());
    // It came later: from the first line that it saw on.
    const std::string first = attached.out().substr(0, attached.out().find('\n') + 1);
    BOOST_CHECK(attached.out() == numbers().substr(numbers().find(first)));
    BOOST_CHECK_GE(count_of(attached.err(), "reconnected after"), 15u);
    BOOST_CHECK_GE(count_of(logs.err(), "reconnected after"), 15u);
}

BOOST_AUTO_TEST_CASE(what_has_ended_meanwhile_is_told_to_its_end) {
    const Daemon daemon;
    Proxy proxy(daemon);
    Process run(proxy.ctl({"run", "--name", "web", "sh", "-c",
                           "echo begin; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo end; "
                           "echo oops >&2; exit 5"}));
    BOOST_REQUIRE(eventually([&] { return contains(run.out(), "begin\n"); }));
    const std::size_t descriptors = daemon.open_descriptors();
    Process wait(proxy.ctl({"wait", "web"}));
    Process next(proxy.ctl({"wait", "--condition", "next-exit", "web"}));
    Process logs(proxy.ctl({"logs", "-f", "web"}));
    BOOST_REQUIRE(eventually([&] { return contains(logs.out(), "begin\n"); }));
    BOOST_REQUIRE(eventually([&] { return daemon.open_descriptors() >= descriptors + 3; }));
    std::this_thread::sleep_for(1s);  // from a first request to the one that waits
    // Nobody takes their connections until it rests; then it runs a second time.
    proxy.process.signal(SIGSTOP);
    proxy.process.signal(SIGUSR1);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"exec", "web", "touch", "/tmp/go"}).status, 0);
    BOOST_REQUIRE(daemon.reaches("web", "failed"));  // it exits with 5
    proxy.process.signal(SIGCONT);
    BOOST_CHECK(run.wait() == 5);
    BOOST_CHECK_EQUAL(run.out(), "begin\nend\n");
    BOOST_CHECK(contains(run.err(), "oops\n"));
    BOOST_CHECK(wait.wait() == 5);
    BOOST_CHECK(next.wait() == 5);
    BOOST_CHECK(logs.wait() == 0);
    BOOST_CHECK_EQUAL(logs.out(), "begin\nend\n");
}

BOOST_AUTO_TEST_CASE(a_place_that_is_none_is_refused) {
    const Daemon daemon;
    BOOST_REQUIRE_EQUAL(daemon.ctl({"run", "--name", "web", "echo", "hello"}).status, 0);
    const auto logs = [&](const std::string& from) {
        return daemon.api("GET", "/v1/containers/web/logs?from=" + from);
    };
    BOOST_CHECK_EQUAL(logs("nonsense").status, 400);
    BOOST_CHECK_EQUAL(logs("9:0").status, 409);
    BOOST_CHECK(contains(logs("1:100000").body, "the log ends at 1:"));
    BOOST_CHECK_EQUAL(logs("1:0").status, 200);
}

BOOST_AUTO_TEST_CASE(a_shutdown_is_told_and_nobody_tries_again) {
    Daemon daemon("[container.web]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"KILL\"\n");
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const std::size_t descriptors = daemon.open_descriptors();
    Process events(daemon.ctl_command({"events", "--since", "0"}));
    Process stats(daemon.ctl_command({"stats"}));
    Process removed(daemon.ctl_command({"wait", "--condition", "removed", "web"}));
    Process attached(daemon.ctl_command({"attach", "web"}));
    BOOST_REQUIRE(eventually([&] { return contains(events.out(), "web"); }));
    BOOST_REQUIRE(eventually([&] { return contains(stats.out(), "web"); }));
    BOOST_REQUIRE(eventually([&] { return daemon.open_descriptors() >= descriptors + 4; }));
    std::this_thread::sleep_for(1s);  // from a first request to the one that waits
    BOOST_CHECK_EQUAL(daemon.stop(), 0);
    for (Process* process : {&events, &stats, &removed}) {
        BOOST_CHECK(process->wait(30s) == 125);
        BOOST_CHECK(contains(process->err(), "mydockerd is shutting down"));
        BOOST_CHECK(!contains(process->err(), "broke"));
    }
    BOOST_CHECK(attached.wait(30s) == 137);  // its container was stopped before
}

BOOST_AUTO_TEST_SUITE_END()
