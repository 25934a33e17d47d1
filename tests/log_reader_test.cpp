// Where a reader of a log begins, against the plainest way to find it, over random logs of several
// files; and reading on while the log grows and rotates.
#include "supervisor/log_reader.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "supervisor/log_format.hpp"
#include "tests/scratch.hpp"

using namespace mydocker;
using namespace mydocker::supervisor;
using mydocker::tests::complete;
using mydocker::tests::contents;
using mydocker::tests::Scratch;

namespace {

std::string time_of(std::uint64_t second) {
    return format_time(std::chrono::system_clock::time_point{} + std::chrono::seconds{second});
}

std::string read_all(LogReader& reader) {
    std::string text;
    for (std::string piece = reader.next(); !piece.empty(); piece = reader.next()) text += piece;
    return text;
}

std::string text_from(const LogFiles& files, LogPosition from) {
    LogReader reader(files, from);
    return read_all(reader);
}

std::string whole(const LogFiles& files) {
    std::string text;
    for (std::uint64_t file = files.begin().file; file <= files.end().file; ++file)
        text += contents(files.path(file));
    return text;
}

std::vector<std::string> records_of(const std::string& text) {
    std::vector<std::string> records;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        records.push_back(text.substr(at, end + 1 - at));
        at = end + 1;
    }
    return records;
}

std::string joined(const std::vector<std::string>& records, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < records.size(); ++i) text += records[i];
    return text;
}

// The last `lines` lines: a line begins with the first record of all, and after each F.
std::string naive_tail(const std::string& text, std::uint64_t lines) {
    const auto records = records_of(text);
    std::vector<std::size_t> begins;
    for (std::size_t i = 0; i < records.size(); ++i)
        if (i == 0 || record_flag(records[i - 1]) == 'F') begins.push_back(i);
    if (lines == 0) return "";
    if (lines >= begins.size()) return text;
    return joined(records, begins[begins.size() - lines]);
}

std::string naive_since(const std::string& text, const std::string& time) {
    const auto records = records_of(text);
    for (std::size_t i = 0; i < records.size(); ++i)
        if (records[i].substr(0, log_time_size) >= time) return joined(records, i);
    return "";
}

// Appends chunks of random length and flags, one second or none apart; the time of the last.
std::uint64_t fill(LogFiles& files, std::mt19937& random, int chunks, std::size_t longest) {
    std::uint64_t second = 1000;
    for (int i = 0; i < chunks; ++i) {
        second += random() % 2;
        std::string chunk(1 + random() % longest, 'x');
        const std::size_t newlines = random() % 3;
        for (std::size_t n = 0; n < newlines; ++n) chunk[random() % chunk.size()] = '\n';
        if (random() % 2 == 0) chunk.back() = '\n';
        std::string records;
        format_records(records, chunk, random() % 2 == 0 ? Stream::out : Stream::err,
                       time_of(second));
        files.append(records);
    }
    return second;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_reader)

BOOST_AUTO_TEST_CASE(the_tail_is_what_the_plainest_search_finds) {
    std::mt19937 random(11);
    for (int round = 0; round < 60; ++round) {
        const Scratch scratch;
        LogFiles files(scratch.path(), {.max_size = 200 + random() % 2000,
                                        .max_files = static_cast<unsigned>(1 + random() % 6)});
        fill(files, random, static_cast<int>(random() % 60), 80);
        const std::string text = whole(files);
        for (std::uint64_t lines = 0; lines < 40; ++lines) {
            BOOST_TEST_CONTEXT("round " << round << ", the last " << lines << " lines")
            BOOST_REQUIRE(text_from(files, complete(find_tail(files, lines, files.end()))) ==
                          naive_tail(text, lines));
        }
    }
}

// Files of many pieces, and records that are about a piece long or lie across two.
BOOST_AUTO_TEST_CASE(the_tail_of_large_files) {
    std::mt19937 random(12);
    for (int round = 0; round < 12; ++round) {
        const Scratch scratch;
        LogFiles files(scratch.path(), {.max_size = 1 << 20, .max_files = 3});
        fill(files, random, 60, 64 << 10);
        const std::string text = whole(files);
        for (const std::uint64_t lines : {1, 2, 3, 5, 10, 20, 40, 80, 1000000}) {
            BOOST_TEST_CONTEXT("round " << round << ", the last " << lines << " lines")
            BOOST_REQUIRE(text_from(files, complete(find_tail(files, lines, files.end()))) ==
                          naive_tail(text, lines));
        }
    }
}

BOOST_AUTO_TEST_CASE(since_is_what_the_plainest_search_finds) {
    std::mt19937 random(13);
    for (int round = 0; round < 60; ++round) {
        const bool large = round % 10 == 0;
        const Scratch scratch;
        LogFiles files(scratch.path(), {.max_size = large ? 1 << 20 : 200 + random() % 2000,
                                        .max_files = static_cast<unsigned>(1 + random() % 6)});
        const std::uint64_t last =
            fill(files, random, static_cast<int>(random() % 60), large ? 64 << 10 : 80);
        const std::string text = whole(files);
        for (std::uint64_t second = 998; second < last + 3; ++second) {
            BOOST_TEST_CONTEXT("round " << round << ", since " << time_of(second))
            BOOST_REQUIRE(text_from(files, complete(find_since(files, time_of(second)))) ==
                          naive_since(text, time_of(second)));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_empty_log_has_nothing) {
    const Scratch scratch;
    const LogFiles files(scratch / "log", {});
    BOOST_TEST(text_from(files, complete(find_tail(files, 3, files.end()))) == "");
    BOOST_TEST(text_from(files, complete(find_since(files, time_of(1)))) == "");
    BOOST_TEST(text_from(files, files.begin()) == "");
}

// A follower that keeps up sees each byte once, whatever is rotated and deleted around it.
BOOST_AUTO_TEST_CASE(a_reader_that_keeps_up_misses_nothing) {
    std::mt19937 random(14);
    for (int round = 0; round < 40; ++round) {
        const Scratch scratch;
        LogFiles files(scratch.path(), {.max_size = 300, .max_files = 3});
        LogReader reader(files, files.begin());
        std::string written;
        std::string seen;
        for (int i = 0; i < 200; ++i) {
            std::string records;
            format_records(records, "number " + std::to_string(i) + "\n", Stream::out, time_of(1));
            files.append(records);
            written += records;
            // Five records fill a file and two older ones are kept: every seventh turn is enough.
            if (i % 7 == 0 || random() % 5 == 0) seen += read_all(reader);
        }
        seen += read_all(reader);
        BOOST_REQUIRE(seen == written);
        BOOST_TEST(reader.skipped() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_reader_that_does_not_is_told_how_much_it_missed) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 100, .max_files = 2});
    const auto append = [&](char letter) { files.append(std::string(79, letter) + "\n"); };
    append('a');
    LogReader reader(files, {1, 40});
    BOOST_TEST(reader.next() == std::string(39, 'a') + "\n");
    for (const char letter : {'b', 'c', 'd', 'e', 'f'}) append(letter);
    // It stood at the end of file 1; files 2 to 4 are gone, 5 and 6 are left.
    BOOST_TEST(read_all(reader) == std::string(79, 'e') + "\n" + std::string(79, 'f') + "\n");
    BOOST_TEST(reader.skipped() == 3U);
}

BOOST_AUTO_TEST_CASE(a_file_deleted_under_a_reader_is_read_to_its_end) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 400'000, .max_files = 2});
    std::string first;
    for (int i = 0; i < 6; ++i) first += std::string(59'999, static_cast<char>('a' + i)) + "\n";
    files.append(first);
    LogReader reader(files, files.begin());
    std::string seen = reader.next();
    BOOST_TEST(seen.size() < first.size());
    for (const char letter : {'x', 'y', 'z'}) files.append(std::string(399'999, letter) + "\n");
    BOOST_TEST(!std::filesystem::exists(files.path(1)));
    while (seen.size() < first.size()) seen += reader.next();
    BOOST_TEST((seen == first));
    BOOST_TEST((read_all(reader) == contents(files.path(3)) + contents(files.path(4))));
    BOOST_TEST(reader.skipped() == 1U);
}

// Somebody's rm: the rest of the log is still there to be read.
BOOST_AUTO_TEST_CASE(a_file_that_is_missing_is_passed_over) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 10, .max_files = 5});
    for (const char* line : {"aaaaaaa\n", "bbbbbbb\n", "ccccccc\n"}) files.append(line);
    std::filesystem::remove(files.path(2));
    BOOST_TEST(text_from(files, files.begin()) == "aaaaaaa\nccccccc\n");
}

BOOST_AUTO_TEST_SUITE_END()
