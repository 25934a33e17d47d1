// The attempt history on disk: appended whole, read back exactly, whatever a power loss or a bad
// disk did to it.
#include "supervisor/ledger.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/scratch.hpp"
#include "tests/stored_state.hpp"

using namespace mydocker::supervisor;
using namespace mydocker::tests;
namespace fs = std::filesystem;

namespace {

Record record(std::uint64_t number) { return {full_attempt(number), {number > 1 ? 2U : 0U, {}}}; }

// With the numbers from `first` to `last`.
void fill(Ledger& ledger, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number <= last; ++number) ledger.append(record(number));
}

std::vector<std::uint64_t> numbers(const std::vector<Record>& records) {
    std::vector<std::uint64_t> found;
    for (const Record& each : records) found.push_back(each.attempt.number);
    return found;
}

std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t number = first; number <= last; ++number) all.push_back(number);
    return all;
}

std::vector<std::uint64_t> load(const Ledger& ledger) {
    std::vector<std::string> problems;
    const auto records = ledger.load(problems);
    for (const std::string& problem : problems) BOOST_ERROR(problem);
    return numbers(records);
}

// What the file held, and the one problem with it.
std::vector<std::uint64_t> load_broken(const Ledger& ledger, std::string& problem) {
    std::vector<std::string> problems;
    const auto records = ledger.load(problems);
    BOOST_REQUIRE(problems.size() == 1U);
    problem = problems[0];
    return numbers(records);
}

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ledger)

BOOST_AUTO_TEST_CASE(what_is_appended_is_loaded) {
    const Scratch scratch;
    Record full{full_attempt(UINT64_MAX), {UINT32_MAX, {}}};
    for (int hour = 1; hour <= 3; ++hour)
        full.history.restarts.emplace_back(std::chrono::hours{hour} + 1ns);
    const Record empty{empty_attempt(1), {}};
    Ledger(scratch / "attempts").append(empty);
    Ledger(scratch / "attempts").append(full);
    std::vector<std::string> problems;
    const auto loaded = Ledger(scratch / "attempts").load(problems);
    BOOST_TEST(problems.empty());
    BOOST_REQUIRE(loaded.size() == 2U);
    BOOST_TEST(same(loaded[0].attempt, empty.attempt));
    BOOST_CHECK(loaded[0].history == empty.history);
    BOOST_TEST(same(loaded[1].attempt, full.attempt));
    BOOST_CHECK(loaded[1].history == full.history);
    struct stat info {};
    BOOST_REQUIRE(::stat((scratch / "attempts").c_str(), &info) == 0);
    BOOST_TEST((info.st_mode & 07777) == 0600U);
}

BOOST_AUTO_TEST_CASE(every_name_of_an_enumeration_is_read_back) {
    Record each = record(1);
    for (int rule = 0; name(Rule(rule)) != "?"; ++rule) {
        each.attempt.verdict.rule = Rule(rule);
        each.attempt.ending.kind = Ending::Kind(rule % 3);
        each.attempt.ending.cause = mydocker::config::Cause(rule % 5);
        BOOST_TEST(same(decode_record(encode(each)).attempt, each.attempt));
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_empty) {
    const Scratch scratch;
    BOOST_TEST(load(Ledger(scratch / "attempts")).empty());
    Ledger nowhere(scratch / "no/attempts");
    BOOST_TEST(load(nowhere).empty());
    BOOST_CHECK_EXCEPTION(nowhere.append(record(1)), std::system_error, [&](const auto& error) {
        return contains(error.what(), scratch / "no/attempts");
    });
    BOOST_TEST(!fs::exists(scratch / "no"));
    write_file(scratch / "attempts", "");
    BOOST_TEST(load(Ledger(scratch / "attempts")).empty());
}

BOOST_AUTO_TEST_CASE(an_attempt_that_has_not_ended_is_no_record) {
    const Scratch scratch;
    Record unjudged = record(1);
    unjudged.attempt.judged = false;
    BOOST_CHECK_THROW(Ledger(scratch / "attempts").append(unjudged), std::logic_error);
    BOOST_TEST(!fs::exists(scratch / "attempts"));
}

// As after a power loss: the file ends anywhere.
BOOST_AUTO_TEST_CASE(every_prefix_is_loaded_and_goes_on) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    fill(ledger, 1, 3);
    const std::string whole = contents(scratch / "attempts");
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const std::string prefix = whole.substr(0, size);
        const std::size_t good = lines_of(prefix);
        const bool torn = !prefix.empty() && !prefix.ends_with('\n');
        write_file(scratch / "attempts", prefix);
        std::vector<std::string> problems;
        const auto loaded = numbers(ledger.load(problems));
        BOOST_REQUIRE_MESSAGE(loaded == from_to(1, good), "cut at " << size);
        BOOST_REQUIRE_EQUAL(problems.size(), torn ? 1U : 0U);
        BOOST_REQUIRE(contents(scratch / "attempts") == whole.substr(0, prefix.rfind('\n') + 1));
        ledger.append(record(good + 1));
        BOOST_REQUIRE(load(ledger) == from_to(1, good + 1));
    }
}

// A record is not lost to a torn tail that nobody could cut off.
BOOST_AUTO_TEST_CASE(a_record_after_a_torn_one_is_whole) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    fill(ledger, 1, 2);
    fs::resize_file(scratch / "attempts", fs::file_size(scratch / "attempts") - 5);
    ledger.append(record(3));
    std::string problem;
    BOOST_CHECK(load_broken(ledger, problem) == (std::vector<std::uint64_t>{1, 3}));
    BOOST_TEST(contains(problem, "line 2"));
}

BOOST_AUTO_TEST_CASE(a_bad_end_is_cut_off) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    fill(ledger, 1, 2);
    const std::string good = contents(scratch / "attempts");
    const std::string bad = std::string(3000, '\0') + "\nx\n" + std::string(100, '\0');
    write_file(scratch / "attempts", good + bad);
    std::string problem;
    BOOST_CHECK(load_broken(ledger, problem) == from_to(1, 2));
    BOOST_TEST(contains(problem, std::to_string(bad.size()) + " bytes"));
    BOOST_TEST(contents(scratch / "attempts") == good);
}

BOOST_AUTO_TEST_CASE(a_flipped_byte_costs_its_record_only) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    fill(ledger, 1, 3);
    const std::string good = contents(scratch / "attempts");
    const std::size_t begin = good.find('\n') + 1;
    const std::size_t end = good.find('\n', begin);
    for (std::size_t at = begin; at < end; ++at) {
        std::string flipped = good;
        flipped[at] = static_cast<char>(flipped[at] ^ 1);
        if (flipped[at] == '\n') continue;
        write_file(scratch / "attempts", flipped);
        std::string problem;
        BOOST_REQUIRE(load_broken(ledger, problem) == (std::vector<std::uint64_t>{1, 3}));
        BOOST_REQUIRE(contains(problem, (scratch / "attempts").string() + ": line 2"));
        BOOST_REQUIRE(contents(scratch / "attempts") == flipped);
    }
}

// Of a file that holds hardly anything else.
BOOST_AUTO_TEST_CASE(problems_are_bounded) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    write_file(scratch / "attempts", std::string(100'000, '\n'));
    ledger.append(record(1));
    std::vector<std::string> problems;
    BOOST_CHECK(numbers(ledger.load(problems)) == from_to(1, 1));
    BOOST_TEST(problems.size() <= 8U);
}

BOOST_AUTO_TEST_CASE(the_file_stays_small_and_the_last_records_stay) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    std::uintmax_t largest = 0;
    std::uintmax_t smallest_after = UINTMAX_MAX;
    for (std::uint64_t number = 1; number <= 500; ++number) {
        ledger.append(record(number));
        const auto size = fs::file_size(scratch / "attempts");
        if (size < largest) smallest_after = std::min(smallest_after, size);
        largest = std::max(largest, size);
        if (number % 7 == 0) {
            BOOST_REQUIRE(load(ledger) == from_to(number > 32 ? number - 31 : 1, number));
        }
    }
    BOOST_TEST(largest <= static_cast<std::uintmax_t>(Ledger::largest_file));
    BOOST_TEST(smallest_after < static_cast<std::uintmax_t>(Ledger::kept_bytes));
    BOOST_TEST(!fs::exists(scratch / "attempts.new"));
}

BOOST_AUTO_TEST_CASE(a_compaction_that_fails_loses_nothing) {
    const Scratch scratch;
    fs::create_directories(scratch / "attempts.new/in the way");
    Ledger ledger(scratch / "attempts");
    fill(ledger, 1, 300);
    BOOST_TEST(fs::file_size(scratch / "attempts") >
               static_cast<std::uintmax_t>(Ledger::largest_file));
    BOOST_CHECK(load(ledger) == from_to(269, 300));
    fs::remove_all(scratch / "attempts.new");
    Ledger(scratch / "attempts").append(record(301));
    BOOST_TEST(fs::file_size(scratch / "attempts") <
               static_cast<std::uintmax_t>(Ledger::kept_bytes));
    BOOST_CHECK(load(ledger) == from_to(270, 301));
}

BOOST_AUTO_TEST_CASE(only_the_end_of_a_large_file_is_read) {
    const Scratch scratch;
    write_file(scratch / "attempts", std::string(2 << 20, 'x'));
    Ledger ledger(scratch / "attempts");
    std::string problem;
    BOOST_TEST(load_broken(ledger, problem).empty());
    BOOST_TEST(contains(problem, "attempts.corrupt"));
    BOOST_TEST(!fs::exists(scratch / "attempts"));
    BOOST_TEST(fs::file_size(scratch / "attempts.corrupt") == 2U << 20);

    write_file(scratch / "attempts", std::string(2 << 20, 'x') + "\n");
    // So large that the first append compacts it.
    ledger.append(record(1));
    BOOST_CHECK(load(ledger) == from_to(1, 1));
}

BOOST_AUTO_TEST_CASE(long_texts_are_cut_and_bytes_that_are_no_text_are_replaced) {
    Record long_one = record(1);
    long_one.attempt.error = "x" + [] {
        std::string text;
        while (text.size() < 100'000) text += "ä";
        return text;
    }();
    long_one.attempt.ending.error = std::string(100'000, '\x01');
    long_one.attempt.verdict.reason = "execute /bin/\xff: Exec format error";
    long_one.history.restarts.assign(10'000, Time(1h));
    const std::string text = encode(long_one);
    BOOST_TEST(text.size() < 32U << 10);
    const Record read = decode_record(text);
    BOOST_TEST(read.attempt.error == long_one.attempt.error.substr(0, 2047));
    BOOST_TEST(read.attempt.verdict.reason == "execute /bin/\xEF\xBF\xBD: Exec format error");
    BOOST_TEST(read.history.restarts.size() == restarts_kept);
    BOOST_TEST(encode(read) == text);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused) {
    const nlohmann::json good = nlohmann::json::parse(encode(record(1)));
    BOOST_CHECK_NO_THROW(decode_record(good.dump()));
    const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
        {"/number", {"-1", "1.0", "\"1\"", "18446744073709551616", "null"}},
        {"/pid", {"-1", "2147483648"}},
        {"/began_ns", {"1e27", "9223372036854775808", "true"}},
        {"/ready_ns", {"-1", "9223372036854775807"}},
        {"/paused_ns", {"-1", "4611686018427387904"}},
        {"/ready_at_ns", {"null", "1e99"}},
        {"/ended_at_ns", {"[]"}},
        {"/error", {"1"}},
        {"/failed_exit_code", {"256", "-1"}},
        {"/memory_peak", {"-5"}},
        {"/log", {"[]", "{\"file\": 1}"}},
        {"/observed/executed", {"1"}},
        {"/observed/exit_code", {"256"}},
        {"/observed/signal", {"0", "65"}},
        {"/ending/kind", {"\"\"", "\"?\"", "\"codes\"", "0"}},
        {"/ending/cause", {"\"start_error\""}},
        {"/ending/ended_ns", {"-1"}},
        {"/ending/ready_for_us", {"9223372036854775807"}},
        {"/verdict", {"null", "{}"}},
        {"/verdict/rule", {"\"\""}},
        {"/verdict/delay_us", {"-1"}},
        {"/history/consecutive", {"4294967296"}},
        {"/history/restarts_ns", {"{}", "[1.5]", "[-1]", "[\"1\"]"}},
    };
    for (const auto& [where, values] : wrong)
        for (const std::string& value : values) {
            nlohmann::json object = good;
            object[nlohmann::json::json_pointer(where)] = nlohmann::json::parse(value);
            BOOST_CHECK_THROW(decode_record(object.dump()), std::exception);
        }
    for (const std::string key : {"version", "number", "pid", "began_ns", "ready_ns", "ended_at_ns",
                                  "observed", "ending", "verdict", "log", "history"}) {
        nlohmann::json object = good;
        object.erase(key);
        BOOST_CHECK_THROW(decode_record(object.dump()), std::exception);
    }
}

BOOST_AUTO_TEST_CASE(another_versions_history_is_left_alone) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    // The CRC-32 of the zip file format and of Python's zlib.crc32().
    const std::string foreign = "5a1dc9f0 {\"version\":2}\n";
    fill(ledger, 1, 1);
    const std::string text = contents(scratch / "attempts") + "bad\n" + foreign + "torn";
    write_file(scratch / "attempts", text);
    std::vector<std::string> problems;
    BOOST_CHECK_EXCEPTION(ledger.load(problems), ForeignVersion, [&](const auto& error) {
        return contains(error.what(), scratch / "attempts") && contains(error.what(), "version 2");
    });
    BOOST_TEST(problems.empty());
    BOOST_TEST(contents(scratch / "attempts") == text);
}

BOOST_AUTO_TEST_CASE(a_write_that_fails_leaves_the_file_as_it_was) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    fill(ledger, 1, 2);
    const std::string before = contents(scratch / "attempts");
    // Half of the record fits.
    rlimit old{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    const auto handler = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight{before.size() + 100, old.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    std::string error;
    try {
        ledger.append(record(3));
    } catch (const std::system_error& thrown) {
        error = thrown.what();
    }
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
    ::signal(SIGXFSZ, handler);
    BOOST_TEST(contains(error, scratch / "attempts"));
    BOOST_TEST(contents(scratch / "attempts") == before);
    ledger.append(record(3));
    BOOST_CHECK(load(ledger) == from_to(1, 3));

    BOOST_CHECK_THROW(Ledger("/dev/full").append(record(1)), std::system_error);
}

BOOST_AUTO_TEST_CASE(a_killed_writer_leaves_whole_records) {
    const Scratch scratch;
    std::uint64_t last = 0;
    for (int round = 0; round < 20; ++round) {
        const pid_t writer = ::fork();
        BOOST_REQUIRE(writer >= 0);
        if (writer == 0) {
            Ledger ledger(scratch / "attempts");
            for (std::uint64_t number = last + 1;; ++number) ledger.append(record(number));
        }
        ::usleep(2000U + 700U * static_cast<unsigned>(round));
        ::kill(writer, SIGKILL);
        ::waitpid(writer, nullptr, 0);
        const auto found = load(Ledger(scratch / "attempts"));
        if (found.empty()) continue;
        BOOST_REQUIRE(found.back() >= last);
        last = found.back();
        BOOST_REQUIRE(found == from_to(last - found.size() + 1, last));
    }
    BOOST_TEST(last > 0U);
}

BOOST_AUTO_TEST_SUITE_END()
