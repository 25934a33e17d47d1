// A container's log on disk: numbered files that only grow, a bounded number of them, whole records
// in each of them whatever the disk or a killed mydockerd did.
#include "supervisor/log_files.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <set>

#include "tests/scratch.hpp"

using namespace mydocker;
using namespace mydocker::supervisor;
using mydocker::tests::contents;
using mydocker::tests::Scratch;
using mydocker::tests::write_file;

namespace {

std::set<std::string> names_in(const std::filesystem::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        names.insert(entry.path().filename());
    return names;
}

using Names = std::set<std::string>;

std::string record(char letter, std::size_t size) { return std::string(size - 1, letter) + "\n"; }

// What a full disk looks like to write(2), without filling one: a file may not grow beyond `size`.
class SmallDisk {
public:
    explicit SmallDisk(rlim_t size) {
        ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit small{size, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~SmallDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

private:
    rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(log_files)

BOOST_AUTO_TEST_CASE(nothing_is_made_before_the_first_record) {
    const Scratch scratch;
    LogFiles files(scratch / "log", {});
    files.append("");
    BOOST_TEST(!std::filesystem::exists(scratch / "log"));
    BOOST_CHECK(files.begin() == files.end());
    files.append("a\n");
    BOOST_TEST(contents(scratch / "log/1.log") == "a\n");
    BOOST_CHECK((files.end() == LogPosition{1, 2}));
}

BOOST_AUTO_TEST_CASE(rotation_counts_upwards_and_deletes_the_oldest) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 100, .max_files = 3});
    for (char letter = 'a'; letter <= 'k'; ++letter) files.append(record(letter, 40));
    // Two of 40 bytes in each file: ab cd ef gh ij k.
    BOOST_CHECK(names_in(scratch.path()) == Names({"4.log", "5.log", "6.log"}));
    BOOST_TEST(contents(files.path(4)) == record('g', 40) + record('h', 40));
    BOOST_TEST(contents(files.path(6)) == record('k', 40));
    BOOST_CHECK((files.begin() == LogPosition{4, 0}));
    BOOST_CHECK((files.end() == LogPosition{6, 40}));
}

BOOST_AUTO_TEST_CASE(a_file_is_filled_to_its_last_byte) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 100, .max_files = 9});
    files.append(record('a', 60));
    files.append(record('b', 40));
    files.append(record('c', 1));
    BOOST_TEST(std::filesystem::file_size(files.path(1)) == 100U);
    BOOST_TEST(contents(files.path(2)) == "\n");
}

BOOST_AUTO_TEST_CASE(many_records_at_once_are_spread_over_files) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 100, .max_files = 9});
    files.append(record('a', 70));
    files.append(record('b', 20) + record('c', 40) + record('d', 60) + record('e', 300) +
                 record('f', 1));
    BOOST_TEST(contents(files.path(1)) == record('a', 70) + record('b', 20));
    BOOST_TEST(contents(files.path(2)) == record('c', 40) + record('d', 60));
    BOOST_TEST(contents(files.path(3)) == record('e', 300));
    BOOST_TEST(contents(files.path(4)) == "\n");
    BOOST_CHECK((files.end() == LogPosition{4, 1}));
}

BOOST_AUTO_TEST_CASE(a_record_larger_than_a_file_has_one_for_itself) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 100, .max_files = 9});
    files.append(record('a', 500));
    files.append(record('b', 10));
    BOOST_TEST(contents(files.path(1)) == record('a', 500));
    BOOST_TEST(contents(files.path(2)) == record('b', 10));
}

BOOST_AUTO_TEST_CASE(one_file_is_allowed) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 100, .max_files = 1});
    for (char letter = 'a'; letter <= 'e'; ++letter) files.append(record(letter, 80));
    BOOST_CHECK(names_in(scratch.path()) == Names({"5.log"}));
}

BOOST_AUTO_TEST_CASE(an_earlier_run_is_continued) {
    const Scratch scratch;
    const config::Logging settings{.max_size = 100, .max_files = 3};
    for (int run = 0; run < 4; ++run) {
        LogFiles files(scratch.path(), settings);
        files.append(record('a', 30));
    }
    LogFiles files(scratch.path(), settings);
    BOOST_CHECK((files.begin() == LogPosition{1, 0}));
    BOOST_CHECK((files.end() == LogPosition{2, 30}));
    files.close();
    files.append(record('b', 30));
    BOOST_TEST(contents(files.path(2)) == record('a', 30) + record('b', 30));
}

BOOST_AUTO_TEST_CASE(other_files_in_the_directory_are_not_ours) {
    const Scratch scratch;
    for (const char* name : {"7.log", "0.log", "x.log", "12.log.gz", "9", "-3.log", "+4.log"})
        write_file(scratch / name, "x\n");
    LogFiles files(scratch.path(), {.max_size = 100, .max_files = 1});
    BOOST_CHECK((files.begin() == LogPosition{7, 0}));
    BOOST_CHECK((files.end() == LogPosition{7, 2}));
    files.append(record('a', 100));
    BOOST_CHECK(names_in(scratch.path()) ==
                Names({"8.log", "0.log", "x.log", "12.log.gz", "9", "-3.log", "+4.log"}));
}

BOOST_AUTO_TEST_CASE(fewer_files_hold_from_the_next_rotation) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 100, .max_files = 5});
    for (char letter = 'a'; letter <= 'e'; ++letter) files.append(record(letter, 80));
    files.configure({.max_size = 100, .max_files = 2});
    files.append(record('f', 80));
    BOOST_CHECK(names_in(scratch.path()) == Names({"5.log", "6.log"}));
    BOOST_CHECK((files.begin() == LogPosition{5, 0}));
}

BOOST_AUTO_TEST_CASE(a_full_disk_tears_no_record) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {.max_size = 1 << 20, .max_files = 3});
    files.append(record('a', 60));
    {
        const SmallDisk disk(100);
        files.append(record('b', 60));  // 40 bytes of it fit
        BOOST_TEST(contents(files.path(1)) == record('a', 60));
        BOOST_CHECK((files.end() == LogPosition{1, 60}));
        BOOST_TEST(files.lost_bytes() == 60U);
        files.append(record('c', 40));  // and this fits
        BOOST_TEST(files.lost_bytes() == 60U);
    }
    files.append(record('d', 60));
    BOOST_TEST(contents(files.path(1)) == record('a', 60) + record('c', 40) + record('d', 60));
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_made_loses_records_and_nothing_else) {
    const Scratch scratch;
    write_file(scratch / "file", "");
    LogFiles files(scratch / "file/log", {});
    files.append("a\n");
    BOOST_TEST(files.lost_bytes() == 2U);
    std::filesystem::remove(scratch / "file");
    files.append("b\n");
    BOOST_TEST(contents(files.path(1)) == "b\n");
}

// A mydockerd that is killed within write(2) leaves half a record.
BOOST_AUTO_TEST_CASE(what_an_earlier_run_tore_is_cut_off) {
    const Scratch scratch;
    write_file(scratch / "1.log", record('a', 50));
    write_file(scratch / "2.log", record('b', 50) + "half");
    LogFiles files(scratch.path(), {});
    BOOST_CHECK((files.end() == LogPosition{2, 50}));
    files.append(record('c', 50));
    BOOST_TEST(contents(files.path(2)) == record('b', 50) + record('c', 50));

    write_file(scratch / "3.log", "half");
    LogFiles again(scratch.path(), {});
    BOOST_CHECK((again.end() == LogPosition{3, 0}));
    again.append("d\n");
    BOOST_TEST(contents(again.path(3)) == "d\n");
}

BOOST_AUTO_TEST_CASE(readers_hear_of_every_record) {
    const Scratch scratch;
    LogFiles files(scratch.path(), {});
    asio::io_context loop(1);
    Waker waker(loop.get_executor());
    const Bell::Subscription listening(files.grew, waker);
    files.append("a\n");
    const auto heard = [&]() -> asio::awaitable<bool> {
        co_return co_await waker.pause(std::chrono::steady_clock::now());
    };
    auto first = asio::co_spawn(loop, heard(), asio::use_future);
    loop.run();
    BOOST_TEST(first.get());
    loop.restart();
    auto second = asio::co_spawn(loop, heard(), asio::use_future);
    loop.run();
    BOOST_TEST(!second.get());
}

BOOST_AUTO_TEST_CASE(everything_can_be_removed_and_begun_anew) {
    const Scratch scratch;
    LogFiles files(scratch / "log", {.max_size = 10, .max_files = 3});
    for (int i = 0; i < 5; ++i) files.append("123456\n");
    files.remove_all();
    BOOST_TEST(!std::filesystem::exists(scratch / "log"));
    files.append("a\n");
    BOOST_CHECK(names_in(scratch / "log") == Names({"1.log"}));
}

BOOST_AUTO_TEST_SUITE_END()
