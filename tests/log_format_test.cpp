// A container's log records: any bytes that a workload writes come back exactly, however they were
// cut into chunks.
#include "supervisor/log_format.hpp"

#include <boost/test/unit_test.hpp>
#include <random>

using namespace mydocker::supervisor;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view noon = "2026-01-31T12:00:00.000000001Z";

std::string records_of(std::string_view chunk, Stream stream = Stream::out) {
    std::string records;
    format_records(records, chunk, stream, noon);
    return records;
}

std::string record(const std::string& rest) { return std::string(noon) + " " + rest + "\n"; }

// What the workload wrote, from its records alone.
std::string written(const std::string& records) {
    std::string text;
    for (std::size_t at = 0; at < records.size();) {
        const std::size_t end = records.find('\n', at);
        BOOST_REQUIRE(end != std::string::npos);
        BOOST_REQUIRE(end - at >= log_prefix_size);
        text += records.substr(at + log_prefix_size, end - at - log_prefix_size);
        if (record_flag(std::string_view(records).substr(at)) == 'F') text += '\n';
        at = end + 1;
    }
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_format)

BOOST_AUTO_TEST_CASE(a_time_has_30_characters_and_is_utc) {
    using std::chrono::system_clock;
    const system_clock::time_point epoch{};
    BOOST_TEST(format_time(epoch) == "1970-01-01T00:00:00.000000000Z");
    BOOST_TEST(format_time(epoch + 1769860800s + 123456789ns) == "2026-01-31T12:00:00.123456789Z");
    BOOST_TEST(format_time(epoch + 951782400s) == "2000-02-29T00:00:00.000000000Z");
    BOOST_TEST(format_time(epoch).size() == log_time_size);
}

BOOST_AUTO_TEST_CASE(lines_end_with_F_and_parts_with_P) {
    BOOST_TEST(records_of("") == "");
    BOOST_TEST(records_of("a\n") == record("stdout F a"));
    BOOST_TEST(records_of("a") == record("stdout P a"));
    BOOST_TEST(records_of("\n") == record("stdout F "));
    BOOST_TEST(records_of("a\nb") == record("stdout F a") + record("stdout P b"));
    BOOST_TEST(records_of("\n\n") == record("stdout F ") + record("stdout F "));
    BOOST_TEST(records_of("a\n", Stream::err) == record("stderr F a"));
    BOOST_TEST(records_of("a\r\n") == record("stdout F a\r"));
}

BOOST_AUTO_TEST_CASE(records_are_appended) {
    std::string records = "before\n";
    format_records(records, "x", Stream::err, noon);
    BOOST_TEST(records == "before\n" + record("stderr P x"));
}

BOOST_AUTO_TEST_CASE(the_flag_of_a_record) {
    BOOST_TEST(record_flag(record("stdout F a")) == 'F');
    BOOST_TEST(record_flag(record("stderr P a")) == 'P');
    BOOST_TEST(record_flag("") == '\0');
    BOOST_TEST(record_flag(noon) == '\0');
}

BOOST_AUTO_TEST_CASE(any_bytes_in_any_chunks_come_back) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::string text(random() % 400, '\0');
        // Newlines are frequent, and every other byte occurs: NUL, 0xff, half of a UTF-8 letter.
        for (char& byte : text) byte = random() % 4 == 0 ? '\n' : static_cast<char>(random());
        std::string records;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = std::min<std::size_t>(1 + random() % 50, text.size() - at);
            format_records(records, std::string_view(text).substr(at, size),
                           random() % 2 == 0 ? Stream::out : Stream::err, noon);
            at += size;
        }
        BOOST_REQUIRE(written(records) == text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
