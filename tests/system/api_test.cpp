// Broken and hostile requests to the control socket: each gets an error answer in JSON and harms
// nobody; mydockerd lives, and its clients are served.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

std::string request(const std::string& method, const std::string& target,
                    const std::string& body = "") {
    return method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string post(const std::string& target, const std::string& body = "") {
    return request("POST", target, body);
}

std::string create(const std::string& body) { return post("/v1/containers", body); }

// {"a":{"a":…}} with `depth` of them, at the place where a container's settings are expected.
std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
    std::string body = R"({"container":{"command":)";
    for (std::size_t i = 0; i < depth; ++i) body += open;
    body += "1";
    for (std::size_t i = 0; i < depth; ++i) body += close;
    return body + "}}";
}

struct Row {
    const char* what;
    std::string bytes;
    int status;
    const char* said = "";  // a part of the error
};

std::vector<Row> broken_requests() {
    const std::string good = R"({"container":{"command":["true"]}})";
    return {
        {"random bytes", std::string("\x16\x03\x01\x00\xff\xfe\r\n\r\n", 10), 400},
        {"a word", "hello\r\n\r\n", 400},
        {"HTTP/0.9", "GET /v1/version\r\n\r\n", 400},
        {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        {"no colon", "GET /v1/version HTTP/1.1\r\nHost\r\n\r\n", 400},
        {"a huge header", "GET /v1/version HTTP/1.1\r\nX: " + std::string(1 << 20, 'x'), 431},
        {"many headers",
         "GET /v1/version HTTP/1.1\r\n" +
             [] {
                 std::string lines;
                 for (int i = 0; i < 5000; ++i) lines += "X: y\r\n";
                 return lines;
             }(),
         431},
        {"a huge body announced",
         "POST /v1/containers HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413},
        {"a huge body sent", create(std::string(5 << 20, ' ')), 413},
        {"a negative length", "POST /v1/up HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400},
        {"two lengths", "POST /v1/up HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
         400},
        {"a bad chunk",
         "POST /v1/up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400},
        {"a cut header", "GET /v1/vers", 400, "ended"},
        {"a cut body", "POST /v1/up HTTP/1.1\r\nContent-Length: 10\r\n\r\n{}", 400, "ended"},
        {"a cut chunk", "POST /v1/up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", 400,
         "ended"},
        {"an unknown path", request("GET", "/v1/nothing"), 404, "/v1/nothing"},
        {"another API", request("GET", "/v1.41/containers/json"), 404},
        {"no path", request("GET", "*"), 404},
        {"a wrong method", request("PATCH", "/v1/containers"), 405, "PATCH"},
        {"a method in lower case", request("get", "/v1/version"), 405},
        {"a bad percent", request("GET", "/v1/containers/%zz"), 404},
        {"half a percent", request("GET", "/v1/containers/web%4"), 404},
        {"NUL in a name", request("GET", "/v1/containers/web%00"), 404},
        {"no UTF-8 in a name", request("GET", "/v1/containers/%ff%fe"), 404},
        {"up a directory", request("GET", "/v1/containers/../../etc/passwd"), 404},
        {"up a directory, hidden", request("DELETE", "/v1/containers/%2e%2e%2f%2e%2e"), 404},
        {"dot dot", request("DELETE", "/v1/containers/..?force=1"), 404},
        {"no name", request("DELETE", "/v1/containers/?force=1"), 404},
        {"a long name", request("GET", "/v1/containers/" + std::string(10'000, 'a')), 404},
        {"nobody", post("/v1/containers/nobody/start"), 404, "nobody"},
        {"no JSON", create("{"), 400},
        {"no object", create("[]"), 400},
        {"a number", create("7"), 400},
        {"nothing", create(""), 400},
        {"no container", create(R"({"name":"x"})"), 400, "container"},
        {"a wrong type", create(R"({"container":{"command":["true"],"mem_limit":true}})"), 400,
         "mem_limit"},
        {"a wrong command", create(R"({"container":{"command":[1]}})"), 400, "command"},
        {"no command", create(R"({"container":{}})"), 400, "command"},
        {"an unknown key", create(R"({"container":{"command":["true"],"cpu_sets":"0"}})"), 400,
         "cpuset"},
        {"an unknown key above", create(R"({"containers":{},"container":{"command":["true"]}})"),
         400, "containers"},
        {"a key twice", create(R"({"container":{"command":["true"],"command":["false"]}})"), 400,
         "command"},
        {"a name that is a path", create(R"({"name":"../x","container":{"command":["true"]}})"),
         400, "../x"},
        {"a name of dots", create(R"({"name":"..","container":{"command":["true"]}})"), 400},
        {"a name with NUL",
         create("{\"name\":\"a\\u0000b\",\"container\":{\"command\":[\"true\"]}}"), 400},
        {"a name of 64", create("{\"name\":\"" + std::string(64, 'a') + "\"," + good.substr(1)),
         400},
        {"a name that is no text", create(R"({"name":7,"container":{"command":["true"]}})"), 400},
        {"no UTF-8 in the body", create("{\"container\":{\"command\":[\"\xff\"]}}"), 400},
        {"NUL in an argument", create("{\"container\":{\"command\":[\"true\\u0000false\"]}}"), 400},
        {"deep arrays", create(nested(100'000, "[", "]")), 400},
        {"deep objects", create(nested(100'000, "{\"a\":", "}")), 400},
        {"an absurd number", create(R"({"container":{"command":["true"],"pids_limit":1e400}})"),
         400},
        {"a negative limit", create(R"({"container":{"command":["true"],"mem_limit":-1}})"), 400,
         "mem_limit"},
        {"a negative timeout", post("/v1/containers/web/stop?timeout=-1"), 400, "timeout"},
        {"an endless timeout", post("/v1/containers/web/stop?timeout=999999999999999999999"), 400,
         "timeout"},
        {"a timeout in words", post("/v1/containers/web/restart?timeout=soon"), 400, "soon"},
        {"no signal", post("/v1/containers/web/kill?signal=SIGNONE"), 400, "SIGNONE"},
        {"signal 0", post("/v1/containers/web/kill?signal=0"), 400},
        {"a negative signal", post("/v1/containers/web/kill?signal=-9"), 400},
        {"a negative tail", request("GET", "/v1/containers/web/logs?tail=-1"), 400, "tail"},
        {"a huge tail", request("GET", "/v1/containers/web/logs?tail=99999999999999999999"), 400},
        {"a time that is none", request("GET", "/v1/containers/web/logs?since=yesterday"), 400,
         "yesterday"},
        {"a wrong sequence number", request("GET", "/v1/events?since=x"), 400, "since"},
        {"names that are none", post("/v1/up", R"({"names":"web"})"), 400},
        {"a name that is a number", post("/v1/down", R"({"names":[1]})"), 400},
        {"names of nobody", post("/v1/down", R"({"names":["nobody"]})"), 404, "nobody"},
        {"a body that is no JSON", post("/v1/down", "{{{"), 400},
    };
}

class Connection {
public:
    explicit Connection(const Daemon& daemon)
        : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        daemon.socket().string().copy(address.sun_path, sizeof address.sun_path - 1);
        connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    ~Connection() { ::close(fd_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool connected() const { return connected_; }
    void send(const std::string& bytes) { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    // Up to the end of what comes, or `patience` of silence.
    std::string receive(int patience_ms) {
        std::string text;
        pollfd wait{fd_, POLLIN, 0};
        char buffer[65536];
        while (::poll(&wait, 1, patience_ms) > 0) {
            const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
            if (count <= 0) break;
            text.append(buffer, static_cast<std::size_t>(count));
        }
        return text;
    }

private:
    int fd_;
    bool connected_;
};

constexpr auto one_container = R"(version = 1
[container.web]
command = ["sleep", "1000"]
stop_grace_period = "0s"
)";

void check_unharmed(const Daemon& daemon, int pid) {
    BOOST_CHECK_EQUAL(daemon.api("GET", "/v1/version").status, 200);
    const json shown = daemon.inspect("web");
    BOOST_CHECK_EQUAL(shown.value("state", ""), "running");
    BOOST_CHECK_EQUAL(shown.value("pid", 0), pid);
    BOOST_CHECK_EQUAL(list(daemon).size(), 1U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(api)

BOOST_AUTO_TEST_CASE(every_broken_request_gets_an_error_answer) {
    const Daemon daemon(one_container);
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const int pid = daemon.inspect("web").at("pid");
    for (const Row& row : broken_requests()) {
        BOOST_TEST_CONTEXT(row.what) {
            const std::string answer = daemon.raw(row.bytes);
            BOOST_REQUIRE_MESSAGE(daemon.alive(), "mydockerd has died");
            BOOST_CHECK_EQUAL(answer.substr(0, 12), "HTTP/1.1 " + std::to_string(row.status));
            const std::size_t head = answer.find("\r\n\r\n");
            BOOST_REQUIRE_NE(head, std::string::npos);
            BOOST_CHECK_NE(answer.substr(0, head).find("application/json"), std::string::npos);
            const json body = json::parse(answer.substr(head + 4), nullptr, false);
            BOOST_REQUIRE_MESSAGE(body.is_object(), answer);
            const std::string error = body.value("error", "");
            BOOST_CHECK(!error.empty());
            BOOST_CHECK(!body.value("code", "").empty());
            BOOST_CHECK_MESSAGE(error.find(row.said) != std::string::npos, error);
        }
    }
    check_unharmed(daemon, pid);
}

BOOST_AUTO_TEST_CASE(requests_in_one_go_are_answered_in_order) {
    const Daemon daemon(one_container);
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    std::string bytes;
    for (int i = 0; i < 20; ++i)
        bytes += i % 2 == 0 ? "GET /v1/version HTTP/1.1\r\n\r\n" : "GET /nowhere HTTP/1.1\r\n\r\n";
    bytes += "GET /v1/containers HTTP/1.1\r\nConnection: close\r\n\r\n";
    const std::string answers = daemon.raw(bytes);
    std::string statuses;
    for (std::size_t at = 0; (at = answers.find("HTTP/1.1 ", at)) != std::string::npos; ++at)
        statuses += answers.substr(at + 9, 3) + " ";
    std::string expected;
    for (int i = 0; i < 10; ++i) expected += "200 404 ";
    BOOST_CHECK_EQUAL(statuses, expected + "200 ");
    // A long request in between is answered in its place too.
    const std::string mixed = daemon.raw(
        "POST /v1/containers/web/start HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
        "GET /v1/version HTTP/1.1\r\nConnection: close\r\n\r\n");
    BOOST_CHECK_LT(mixed.find("\"state\":\"running\""), mixed.find("\"api\":\"v1\""));
    BOOST_CHECK_NE(mixed.find("\"api\":\"v1\""), std::string::npos);
}

BOOST_AUTO_TEST_CASE(thousands_of_clients_come_and_go) {
    const Daemon daemon(one_container);
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const int pid = daemon.inspect("web").at("pid");
    const std::size_t descriptors = daemon.open_descriptors();
    for (int i = 0; i < 2000; ++i) {
        Connection client(daemon);
        BOOST_REQUIRE(client.connected());
        // Gone before a word, in the middle of one, or without waiting for the answer.
        if (i % 4 == 1) client.send("GET /v1/cont");
        if (i % 4 == 2) client.send("GET /v1/containers HTTP/1.1\r\n\r\n");
        if (i % 4 == 3) client.send("POST /v1/containers/web/wait HTTP/1.1\r\n\r\n");
    }
    check_unharmed(daemon, pid);
    BOOST_CHECK(eventually([&] { return daemon.open_descriptors() <= descriptors + 2; }, 10s));
    BOOST_CHECK_LT(daemon.rss_kib(), 64U << 10);
}

BOOST_AUTO_TEST_CASE(silent_and_slow_clients_are_in_nobodys_way) {
    const Daemon daemon(one_container);
    BOOST_REQUIRE(daemon.reaches("web", "running"));
    const int pid = daemon.inspect("web").at("pid");
    std::vector<std::unique_ptr<Connection>> silent;
    for (int i = 0; i < 300; ++i) {
        silent.push_back(std::make_unique<Connection>(daemon));
        if (i % 2 == 0) silent.back()->send("GET /v1/version HTTP/1.1\r\nX: ");
    }
    check_unharmed(daemon, pid);
    // Who does not finish a request within 10 s is told, and let go.
    const std::string answer = silent.front()->receive(15'000);
    BOOST_CHECK_EQUAL(answer.substr(0, 12), "HTTP/1.1 408");
    BOOST_CHECK_NE(answer.find("\"code\":\"invalid\""), std::string::npos);
    check_unharmed(daemon, pid);
}

BOOST_AUTO_TEST_SUITE_END()
