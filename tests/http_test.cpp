// HTTP requests however the kernel cuts them into pieces, requests at and over their limits, and
// bytes that are no requests at all.
#include "supervisor/api/http.hpp"

#include <boost/test/unit_test.hpp>

#include "supervisor/protocol/protocol.hpp"
#include "tests/feeder.hpp"

using namespace mydocker;
using namespace mydocker::supervisor::api;
using mydocker::tests::Feeder;

namespace {

using State = RequestParser::State;

const std::string with_body =
    "POST /v1/containers/a%20b/kill?signal=SIGTERM&force HTTP/1.1\r\n"
    "Host: x\r\nContent-Length: 11\r\nContent-Type: application/json\r\n\r\nhello\r\nabc\n";
const std::string with_chunks =
    "POST /v1/containers/a%20b/kill?signal=SIGTERM&force HTTP/1.1\r\n"
    "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5\r\nhello\r\n6;name=value\r\n\r\nabc\n\r\n0\r\n\r\n";

void check(RequestParser& parser) {
    const Request request = parser.take();
    BOOST_TEST(request.method == "POST");
    BOOST_TEST(request.path == "/v1/containers/a b/kill");
    BOOST_TEST(request.body == "hello\r\nabc\n");
    BOOST_TEST(request.get("signal") == "SIGTERM");
    BOOST_TEST(request.flag("force"));
    BOOST_TEST(request.keep_alive);
}

Request parse(const std::string& bytes) {
    Feeder feeder;
    BOOST_REQUIRE(feeder.give(bytes) == State::complete);
    return feeder.parser.take();
}

Request get(const std::string& target) { return parse("GET " + target + " HTTP/1.1\r\n\r\n"); }

int refusal(const std::string& bytes) {
    Feeder feeder;
    if (feeder.give(bytes) != State::broken) return 0;
    BOOST_TEST(!feeder.parser.error().empty());
    // It becomes part of a JSON string.
    BOOST_TEST(feeder.parser.error().find_first_of("\"\\\n\r") == std::string::npos);
    return feeder.parser.status();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http)

BOOST_AUTO_TEST_CASE(any_two_pieces_of_a_request_make_it) {
    for (const std::string& text : {with_body, with_chunks}) {
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            BOOST_TEST_CONTEXT("cut at byte " << cut) {
                Feeder feeder;
                const State half = feeder.give(std::string_view(text).substr(0, cut));
                BOOST_REQUIRE((half == (cut == text.size() ? State::complete : State::incomplete)));
                BOOST_REQUIRE((feeder.give(std::string_view(text).substr(cut)) == State::complete));
                check(feeder.parser);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_request_byte_by_byte) {
    for (const std::string& text : {with_body, with_chunks}) {
        Feeder feeder;
        for (std::size_t i = 0; i + 1 < text.size(); ++i)
            BOOST_REQUIRE((feeder.give(text.substr(i, 1)) == State::incomplete));
        BOOST_REQUIRE((feeder.give(text.substr(text.size() - 1)) == State::complete));
        check(feeder.parser);
    }
}

BOOST_AUTO_TEST_CASE(a_request_takes_no_byte_of_the_next) {
    for (const std::string& text : {with_body, with_chunks}) {
        Feeder feeder;
        BOOST_REQUIRE((feeder.give(text + "GET / HTTP/1.1\r\n\r\n") == State::complete));
        BOOST_TEST(feeder.left() == "GET / HTTP/1.1\r\n\r\n");
        check(feeder.parser);
    }
}

BOOST_AUTO_TEST_CASE(paths_and_queries_are_percent_decoded) {
    BOOST_TEST(get("/v1/a%2Fb%c3%A4").path == "/v1/a/b\xc3\xa4");
    BOOST_TEST(get("/a+b").path == "/a+b");
    BOOST_TEST(get("/%41").path == "/A");
    BOOST_TEST(get("/a%00b").path == std::string("/a\0b", 4));
    const Request request = get("/x?a=1&b=%3d%26&c&d=&a=2&=e");
    BOOST_TEST(request.path == "/x");
    BOOST_TEST(request.get("a") == "2");
    BOOST_TEST(request.get("b") == "=&");
    BOOST_TEST(request.get("c") == "1");
    BOOST_TEST(request.get("d") == "");
    BOOST_TEST(request.get("") == "e");
    BOOST_TEST(request.get("none") == "");
    BOOST_TEST(get("/x?").path == "/x");
}

BOOST_AUTO_TEST_CASE(a_percent_sign_wants_two_digits) {
    for (const char* target : {"/%", "/%4", "/%g0", "/%0g", "/a%%41", "/x?a=%", "/x?%zz=1"})
        BOOST_TEST(get(target).path == "", target);  // no route has the empty path
}

BOOST_AUTO_TEST_CASE(flags) {
    const Request request = get("/x?yes&one=1&word=a&zero=0&no=false&nothing=");
    for (const char* key : {"yes", "one", "word"}) BOOST_TEST(request.flag(key), key);
    for (const char* key : {"zero", "no", "nothing", "absent"}) BOOST_TEST(!request.flag(key), key);
}

BOOST_AUTO_TEST_CASE(who_wants_the_connection_closed_says_so) {
    BOOST_TEST(parse("GET / HTTP/1.1\r\n\r\n").keep_alive);
    BOOST_TEST(!parse("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").keep_alive);
    BOOST_TEST(!parse("GET / HTTP/1.0\r\n\r\n").keep_alive);
    BOOST_TEST(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_refused) {
    for (const std::string text : {
             "\x16\x03\x01\x02\x01 a TLS hello\r\n\r\n",
             "GET\r\n\r\n",
             "GET /\r\n\r\n",
             " GET / HTTP/1.1\r\n\r\n",
             "GET / HTTP/2.0\r\n\r\n",
             "GET / HTTP/1.1 and more\r\n\r\n",
             "G\"T / HTTP/1.1\r\n\r\n",
             "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
             "GET / HTTP/1.1\r\n: no name\r\n\r\n",
             "GET / HTTP/1.1\r\nA\x01: b\r\n\r\n",
             "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
             "POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
             "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
             "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
             "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
             "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
             "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
             "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
         })
        BOOST_TEST(refusal(text) == 400, text);
}

BOOST_AUTO_TEST_CASE(the_header_has_a_limit) {
    const auto header_of = [](std::size_t size) {
        const std::string begin = "GET / HTTP/1.1\r\nX: ";
        return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n";
    };
    BOOST_TEST(refusal(header_of(protocol::max_header_bytes)) == 0);
    BOOST_TEST(refusal(header_of(protocol::max_header_bytes + 100)) == 431);  // Beast rounds
    // However it comes, and though it never ends.
    Feeder feeder;
    feeder.give("GET / HTTP/1.1\r\n");
    std::size_t given = 0;
    while (feeder.give("X: 0123456789\r\n") == State::incomplete && given < 1U << 20) given += 15;
    BOOST_TEST(feeder.parser.status() == 431);
    BOOST_TEST(given < 2 * protocol::max_header_bytes);
    BOOST_TEST(refusal(std::string(protocol::max_header_bytes + 1, 'G')) == 431);
}

BOOST_AUTO_TEST_CASE(the_body_has_a_limit) {
    const auto announced = [](std::size_t size) {
        return "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
    };
    BOOST_TEST(refusal(announced(protocol::max_body_bytes + 1)) == 413);  // before any of it came
    const std::string largest(protocol::max_body_bytes, 'x');
    BOOST_TEST(parse(announced(largest.size()) + largest).body.size() == largest.size());

    Feeder feeder;
    feeder.give("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    std::size_t given = 0;
    while (feeder.give(chunk) == State::incomplete && given < 3 * protocol::max_body_bytes)
        given += 0x10000;
    BOOST_TEST(feeder.parser.status() == 413);
    BOOST_TEST(given <= protocol::max_body_bytes);
}

BOOST_AUTO_TEST_CASE(a_request_has_started_with_its_first_byte) {
    Feeder feeder;
    BOOST_TEST(!feeder.parser.started());
    feeder.give("G");
    BOOST_TEST(feeder.parser.started());
}

BOOST_AUTO_TEST_CASE(the_head_of_a_response) {
    BOOST_TEST(response_head(200, "application/json", 7, true) ==
               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n"
               "Connection: keep-alive\r\n\r\n");
    BOOST_TEST(response_head(204, "", 0, false) ==
               "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    BOOST_TEST(response_head(200, "text/plain", -1, false) ==
               "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
               "Connection: close\r\n\r\n");
    for (const int status : {200, 201, 202, 204, 400, 403, 404, 405, 408, 409, 413, 431, 503})
        BOOST_TEST(status_text(status) != status_text(500));
}

BOOST_AUTO_TEST_SUITE_END()
