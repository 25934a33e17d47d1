// `from=FILE:BYTE`: places in a log that a client may go on at, and those it may not.
#include "supervisor/api/log_place.hpp"

#include <boost/test/unit_test.hpp>

#include "supervisor/supervisor.hpp"
#include "tests/scratch.hpp"

using namespace mydocker;
using namespace mydocker::supervisor;
using namespace mydocker::supervisor::api;

namespace {

struct Log {
    tests::Scratch scratch;
    LogFiles files{scratch / "log", {.max_size = 40, .max_files = 2}};
    // Files of two records of 20 bytes; the oldest is gone.
    Log() {
        for (int i = 0; i < 5; ++i) files.append("time stdout F line" + std::to_string(i) + "\n");
    }
    std::string ask(const std::string& from, Place kind = Place::record) const {
        Request request;
        request.query["from"] = from;
        try {
            const auto place = place_of(request, files, kind);
            return place ? std::to_string(place->file) + ":" + std::to_string(place->offset)
                         : "none";
        } catch (const Refusal& refusal) {
            return refusal.code + ": " + refusal.text;
        }
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(log_place)

BOOST_AUTO_TEST_CASE(where_records_begin_and_up_to_the_end) {
    const Log log;
    const LogPosition end = log.files.end();
    BOOST_TEST(end.file == 3U);
    BOOST_TEST(end.offset == 20U);
    for (const char* place : {"2:0", "2:20", "2:40", "3:0", "3:20"})
        BOOST_TEST(log.ask(place) == place);
    // Its reader tells that it is gone.
    BOOST_TEST(log.ask("1:20") == "1:20");
    BOOST_TEST(log.ask("1:7") == "1:7");
    BOOST_TEST(log.ask("") == "none");
    BOOST_TEST(log.ask("2:7", Place::byte) == "2:7");
}

BOOST_AUTO_TEST_CASE(what_is_no_place_is_refused) {
    const Log log;
    for (const char* text : {"x", "1", "1:", ":1", "0:0", "-1:0", "1:-1", "1:2x", " 1:2", "1:2:3",
                             "99999999999999999999:0"})
        BOOST_TEST(log.ask(text) ==
                   "invalid: from \"" + std::string(text) + "\" is no place FILE:BYTE in a log");
    BOOST_TEST(log.ask("2:7") == "invalid: at 2:7 of the log no record begins");
    for (const char* text : {"2:41", "3:21", "4:0"})
        for (const Place kind : {Place::byte, Place::record})
            BOOST_TEST(log.ask(text, kind) ==
                       "conflict: the log ends at 3:20: there is no " + std::string(text));
}

BOOST_AUTO_TEST_CASE(a_log_that_is_not_there_yet_begins_at_its_beginning) {
    tests::Scratch scratch;
    const LogFiles files(scratch / "log", {});
    Request request;
    request.query["from"] = "1:0";
    BOOST_TEST((place_of(request, files, Place::record) == LogPosition{1, 0}));
}

BOOST_AUTO_TEST_SUITE_END()
