// What mydocker-ctl reads from its socket: HTTP answers and CRI log lines, whole and broken, in
// pieces of every size; and a socket where nobody answers.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "tools/ctl/client.hpp"
#include "tools/ctl/cri.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/http_response.hpp"
#include "tools/ctl/line_splitter.hpp"

using namespace mydocker::ctl;

namespace {

struct Read {
    int status = 0;
    bool done = false;
    std::string streamed;
    std::string collected;
    std::string error;
};

Read read_response(const std::string& bytes, std::size_t piece, bool with_sink, bool closes) {
    Read read;
    HttpResponse response(
        with_sink ? HttpResponse::Sink([&](std::string_view text) { read.streamed += text; })
                  : HttpResponse::Sink{});
    try {
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            response.feed(std::string_view(bytes).substr(at, piece));
        }
        if (closes) response.end_of_stream();
    } catch (const Failure& failure) {
        BOOST_TEST(failure.exit_code() == 125);
        read.error = failure.what();
    }
    read.status = response.status();
    read.done = response.done();
    read.collected = response.body();
    return read;
}

const std::string plain_answer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\": 12}";
const std::string chunked_answer =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n1\r\n \r\nA;ext=1\r\nwonderful\n\r\n0\r\nX: y\r\n\r\n";

// Everything the reader gives out, in order: "o:"/"e:" and, with times, "@TIME ".
std::string demultiplexed(const std::string& log, const std::vector<std::size_t>& cuts,
                          bool with_times) {
    std::string out;
    char current = 0;
    CriReader reader([&](LogStream stream, std::string_view time, std::string_view text) {
        const char name = stream == LogStream::out ? 'o' : 'e';
        if (name != current) out += std::string("<") + name + '>';
        current = name;
        if (with_times && !time.empty()) out.append("@").append(time).append(" ");
        out.append(text);
    });
    std::size_t at = 0;
    for (const std::size_t cut : cuts) {
        reader.feed(std::string_view(log).substr(at, cut - at));
        at = cut;
    }
    reader.feed(std::string_view(log).substr(at));
    return out;
}

const std::string log_text =
    "2026-01-31T12:00:00.123456789Z stdout F hello  world \n"
    "2026-01-31T12:00:01Z stderr F oops\n"
    "2026-01-31T12:00:02Z stdout P part one\n"
    "2026-01-31T12:00:03Z stdout P \n"
    "2026-01-31T12:00:04Z stderr F in between\n"
    "2026-01-31T12:00:05Z stdout F , part two\n"
    "2026-01-31T12:00:06Z stdout F \n"
    "2026-01-31T12:00:07Z stdout F \x01\r \xff stdout F x\n"
    "2026-01-31T12:00:08Z stdout P no newline";
const std::string log_bytes =
    "<o>hello  world \n<e>oops\n<o>part one<e>in between\n<o>, part two\n\n"
    "\x01\r \xff stdout F x\nno newline";

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_client)

BOOST_AUTO_TEST_CASE(answers_in_pieces_of_every_size) {
    for (std::size_t piece = 1; piece <= plain_answer.size(); ++piece) {
        const Read read = read_response(plain_answer, piece, false, true);
        BOOST_TEST(read.error == "");
        BOOST_TEST(read.status == 200);
        BOOST_TEST(read.collected == "{\"a\": 12}");
    }
    for (std::size_t piece = 1; piece <= chunked_answer.size(); ++piece) {
        const Read read = read_response(chunked_answer, piece, true, true);
        BOOST_TEST(read.error == "");
        BOOST_TEST(read.done);
        BOOST_TEST(read.streamed == "hello wonderful\n");
        BOOST_TEST(read.collected == "");
    }
}

BOOST_AUTO_TEST_CASE(an_error_body_is_collected_not_streamed) {
    const Read read = read_response(
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnone\r\n0\r\n\r\n", 7,
        true, true);
    BOOST_TEST(read.status == 404);
    BOOST_TEST(read.streamed == "");
    BOOST_TEST(read.collected == "none");
}

BOOST_AUTO_TEST_CASE(answers_without_a_body_or_a_length) {
    BOOST_TEST(read_response("HTTP/1.1 204 No Content\r\n\r\n", 3, false, false).done);
    const Read open_end = read_response("HTTP/1.1 200 OK\r\n\r\nuntil the end", 5, true, true);
    BOOST_TEST(open_end.error == "");
    BOOST_TEST(open_end.done);
    BOOST_TEST(open_end.streamed == "until the end");
}

BOOST_AUTO_TEST_CASE(broken_answers_are_errors) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string broken[] = {
        "garbage\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 xyz OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        ok + "Content-Length: -1\r\n\r\n",
        ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        ok + "No colon\r\n\r\n",
        ok + "Content-Length: 3\r\n\r\nfour",
        ok + "X: " + std::string(40'000, 'x') + "\r\n\r\n",
        chunked + "zz\r\nhello\r\n",
        chunked + "5\r\nhelloXX0\r\n\r\n",
        chunked + "FFFFFFFFFFFFFFFFF\r\nx",
        chunked + std::string(40'000, '1'),
        "HTTP/1.1 200 OK\r\n" + std::string(40'000, 'x'),
    };
    for (const std::string& bytes : broken) {
        for (const std::size_t piece : {1UL, 7UL, 100'000UL}) {
            BOOST_TEST_CONTEXT(bytes.substr(0, 60) << " in pieces of " << piece) {
                const Read read = read_response(bytes, piece, true, false);
                BOOST_TEST(read.error.starts_with("mydockerd's answer makes no sense: "));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_ends_early_is_an_error) {
    BOOST_TEST(read_response("", 1, false, true).error ==
               "mydockerd closed the connection without an answer");
    for (const std::string& whole : {plain_answer, chunked_answer}) {
        for (std::size_t length = 1; length < whole.size(); ++length) {
            BOOST_TEST_CONTEXT(whole.substr(0, length)) {
                BOOST_TEST(read_response(whole.substr(0, length), 8, false, true).error ==
                           "mydockerd closed the connection in the middle of its answer");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_collected_body_is_bounded) {
    HttpResponse response;
    response.feed("HTTP/1.1 200 OK\r\n\r\n");
    const std::string megabyte(1024 * 1024, 'x');
    for (std::size_t sent = 0; sent < max_collected_bytes; sent += megabyte.size()) {
        response.feed(megabyte);
    }
    BOOST_CHECK_THROW(response.feed("x"), Failure);
}

BOOST_AUTO_TEST_CASE(log_lines_come_out_byte_for_byte) {
    BOOST_TEST(demultiplexed(log_text, {}, false) == log_bytes);
    // Every cut in two, and every piece size.
    for (std::size_t cut = 0; cut <= log_text.size(); ++cut) {
        BOOST_TEST(demultiplexed(log_text, {cut}, false) == log_bytes);
    }
    for (std::size_t size = 1; size < 80; ++size) {
        std::vector<std::size_t> cuts;
        for (std::size_t at = size; at < log_text.size(); at += size) cuts.push_back(at);
        BOOST_TEST(demultiplexed(log_text, cuts, false) == log_bytes);
    }
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::size_t> cuts(random() % 20);
        for (std::size_t& cut : cuts) cut = random() % log_text.size();
        std::sort(cuts.begin(), cuts.end());
        BOOST_TEST(demultiplexed(log_text, cuts, false) == log_bytes);
    }
}

BOOST_AUTO_TEST_CASE(a_time_stands_only_where_a_line_begins) {
    BOOST_TEST(demultiplexed("t1 stdout P a\nt2 stdout P b\nt3 stderr F e\nt4 stdout F c\nt5 "
                             "stdout F \nt6 stdout F d\n",
                             {}, true) == "<o>@t1 ab<e>@t3 e\n<o>c\n@t5 \n@t6 d\n");
}

BOOST_AUTO_TEST_CASE(what_is_no_log_line_is_shown_as_it_is) {
    const std::string log = "not a log line\n\n1 stdout Z x\n1 stdfoo F x\n1 stdout F ok\n" +
                            std::string(200, 'x') + "\n1 stdout F ok\n";
    const std::string expected = "<e>not a log line\n\n1 stdout Z x\n1 stdfoo F x\n<o>ok\n<e>" +
                                 std::string(200, 'x') + "\n<o>ok\n";
    for (std::size_t cut = 0; cut <= log.size(); ++cut) {
        BOOST_TEST(demultiplexed(log, {cut}, false) == expected);
    }
}

BOOST_AUTO_TEST_CASE(lines_are_bounded) {
    std::string lines;
    LineSplitter splitter([&](const std::string& line) { lines += '[' + line + ']'; });
    for (const char* piece : {"a", "b\nc", "\n\n", "d"}) splitter.feed(piece);
    BOOST_TEST(lines == "[ab][c]");
    BOOST_CHECK_THROW(splitter.feed(std::string(2 * 1024 * 1024, 'x')), Failure);
}

BOOST_AUTO_TEST_CASE(paths_are_encoded) {
    BOOST_TEST(container_path("web", "start") == "/v1/containers/web/start");
    BOOST_TEST(container_path("a/../b c?\xff") == "/v1/containers/a%2F..%2Fb%20c%3F%FF");
    BOOST_CHECK_THROW(container_path(""), UsageError);
}

BOOST_AUTO_TEST_CASE(a_missing_or_dead_socket_is_one_clear_line) {
    const auto error_of = [](const std::string& path) -> std::string {
        try {
            Client(path).call({"GET", "/v1/version", {}});
        } catch (const Failure& failure) {
            BOOST_TEST(failure.exit_code() == 125);
            return failure.what();
        }
        return "(no error)";
    };
    char directory[] = "/tmp/mydocker-ctl-test-XXXXXX";
    BOOST_TEST_REQUIRE(::mkdtemp(directory) != nullptr);
    const std::string path = std::string(directory) + "/socket";
    BOOST_TEST(error_of(path) == "cannot reach mydockerd at " + path +
                                     ": No such file or directory. Is it running? Start it with "
                                     "`mydockerd`.");
    // A socket that nobody listens on any more, as a killed daemon leaves it behind.
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    BOOST_TEST_REQUIRE(
        ::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_TEST(error_of(path) == "cannot reach mydockerd at " + path +
                                     ": Connection refused. Is it running? Start it with "
                                     "`mydockerd`.");
    ::unlink(path.c_str());
    ::rmdir(directory);
    BOOST_TEST(error_of(std::string(200, 'x')).ends_with("File name too long"));
}

BOOST_AUTO_TEST_CASE(a_trailer_tells_why_an_answer_is_not_whole) {
    const std::string head =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n";
    for (const std::string trailer : {"", "Mydocker-Failure: web: it ended\r\n"}) {
        std::string body;
        HttpResponse response([&](std::string_view text) { body += text; });
        for (const char c : head + trailer + "\r\n") response.feed({&c, 1});
        BOOST_TEST(response.done());
        BOOST_TEST(body == "abc");
        BOOST_TEST(response.trailer("Mydocker-Failure") ==
                   (trailer.empty() ? "" : "web: it ended"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
