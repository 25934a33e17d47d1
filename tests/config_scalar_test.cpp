// The small spellings of host files: every unit, the limits of every range, and what is refused.
#include "config/scalar.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <random>

using namespace mydocker::config;
using namespace std::chrono_literals;

namespace {

constexpr Bytes kib = 1024;
constexpr Bytes mib = 1024 * kib;
constexpr Bytes gib = 1024 * mib;

void same_duration(const char* text, std::optional<Duration> expected) {
    BOOST_TEST_CONTEXT(text) { BOOST_TEST((parse_duration(text) == expected)); }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_scalar)

BOOST_AUTO_TEST_CASE(sizes) {
    const std::vector<std::pair<const char*, Bytes>> good{
        {"0", 0},
        {"512", 512},
        {"512b", 512},
        {"1B", 1},
        {"50m", 50 * mib},
        {"50M", 50 * mib},
        {"50mb", 50 * mib},
        {"50MiB", 50 * mib},
        {"10 MB", 10 * mib},
        {"64KiB", 64 * kib},
        {"1.5g", gib + gib / 2},
        {"0.5k", 512},
        {"0.1k", 102},
        {"0.0009765625k", 1},
        {"1.9999999999999999999999999999999999999999k", 2047},
        {"2t", 2048 * gib},
        {"1p", mib * gib},
        {"00007", 7},
        {"9223372036854775807", 9223372036854775807},
        {"8191p", 8191 * mib * gib},
    };
    for (const auto& [text, bytes] : good) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(parse_size(text).value_or(12345678901) == bytes); }
    }
    for (const char* text : {"",
                             " ",
                             "m",
                             "-1",
                             "-1m",
                             "+1m",
                             "1mm",
                             "1 mib b",
                             "1e3",
                             "1.",
                             ".5m",
                             "1.5.5m",
                             "1,5m",
                             "0x10",
                             "1x",
                             "1bb",
                             "1bib",
                             "1 ",
                             " 1",
                             "1m ",
                             "1  m",
                             "m1",
                             "١m",
                             "1µ",
                             "1m\n",
                             "９",
                             "inf",
                             "nan",
                             "9223372036854775808",
                             "8192p",
                             "99999999999999999999999999",
                             "1ki",
                             "1mi",
                             "unlimited"}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!parse_size(text)); }
    }
    BOOST_TEST(!parse_size(std::string_view("1\0m", 3)));
}

BOOST_AUTO_TEST_CASE(sizes_for_people) {
    const std::vector<std::pair<Bytes, const char*>> good{
        {0, "0B"},
        {512, "512B"},
        {1023, "1023B"},
        {kib, "1KiB"},
        {50 * mib, "50MiB"},
        {gib + gib / 2, "1.5GiB"},
        {mib + 1, "1MiB"},
        {gib - 1, "1GiB"},
        {mib - kib, "1023KiB"},
        {3 * mib / 4 + 2 * mib, "2.75MiB"},
        {std::numeric_limits<Bytes>::max(), "16EiB"},
    };
    for (const auto& [bytes, text] : good) BOOST_TEST(format_size(bytes) == text);
}

BOOST_AUTO_TEST_CASE(sizes_come_back_exactly) {
    BOOST_TEST(exact_size(0) == "0");
    BOOST_TEST(exact_size(50 * mib) == "50m");
    BOOST_TEST(exact_size(50 * mib + 1) == "52428801");
    BOOST_TEST(exact_size(1536 * mib) == "1536m");
    std::mt19937_64 random{1};
    for (int round = 0; round < 20'000; ++round) {
        const Bytes bytes = (random() >> 1U) >> (random() % 63) << (random() % 3 * 10);
        if (bytes > static_cast<Bytes>(std::numeric_limits<std::int64_t>::max())) continue;
        BOOST_REQUIRE_MESSAGE(parse_size(exact_size(bytes)) == bytes, exact_size(bytes));
    }
}

BOOST_AUTO_TEST_CASE(durations) {
    same_duration("0", 0us);
    same_duration("0s", 0us);
    same_duration("100ms", 100ms);
    same_duration("1m30s", 90s);
    same_duration("2h", 2h);
    same_duration("1.5s", 1500ms);
    same_duration("0.1s", 100ms);
    same_duration("500us", 500us);
    same_duration("500µs", 500us);
    same_duration("500μs", 500us);
    same_duration("1d", 24h);
    same_duration("5min 30sec", 330s);
    same_duration(" 10s ", 10s);
    same_duration("1h0.25s", 1h + 250ms);
    same_duration("0.0000019s", 1us);
    same_duration("9223372036854775807us", Duration::max());
    for (const char* text : {"",
                             " ",
                             "10",
                             "1",
                             "00",
                             "s",
                             "-1s",
                             "+1s",
                             "1S",
                             "1H",
                             "1 s",
                             "1.s",
                             ".5s",
                             "1s1m",
                             "1s1s",
                             "1m1min",
                             "1sec1s",
                             "10ns",
                             "1w",
                             "1y",
                             "1s,2ms",
                             "1e3s",
                             "١s",
                             "1s\n",
                             "9223372036854775808us",
                             "9223372036854775807us1us",
                             "106751992d",
                             "99999999999999999999h",
                             "infinity",
                             "1ms1µs1us"}) {
        same_duration(text, std::nullopt);
    }
    BOOST_TEST(!parse_duration(std::string_view("1s\0", 3)));
}

BOOST_AUTO_TEST_CASE(durations_as_text) {
    const std::vector<std::pair<Duration, const char*>> good{
        {0us, "0s"},
        {1us, "1us"},
        {999us, "999us"},
        {1ms, "1ms"},
        {1500us, "1.5ms"},
        {100ms, "100ms"},
        {1s, "1s"},
        {1500ms, "1.5s"},
        {90s, "1m30s"},
        {1min, "1m"},
        {1h, "1h"},
        {24h, "24h"},
        {1h + 250ms, "1h0.25s"},
        {1h + 1us, "1h0.000001s"},
        {-90s, "-1m30s"},
        {Duration::min(), "-2562047788h54.775808s"},
    };
    for (const auto& [duration, text] : good) BOOST_TEST(format_duration(duration) == text);
}

BOOST_AUTO_TEST_CASE(durations_come_back_exactly) {
    std::mt19937_64 random{2};
    for (int round = 0; round < 20'000; ++round) {
        const Duration duration{static_cast<Duration::rep>((random() >> 1U) >> (random() % 63))};
        BOOST_REQUIRE_MESSAGE(parse_duration(format_duration(duration)) == duration,
                              format_duration(duration));
    }
    BOOST_TEST((parse_duration(format_duration(Duration::max())) == Duration::max()));
}

BOOST_AUTO_TEST_CASE(signals) {
    const std::vector<std::pair<const char*, int>> good{
        {"SIGTERM", 15},  {"term", 15},        {"Term", 15},
        {"sigterm", 15},  {"15", 15},          {"1", 1},
        {"SIGHUP", 1},    {"KILL", 9},         {"SIGSYS", 31},
        {"SIGCLD", 17},   {"SIGCHLD", 17},     {"SIGIOT", 6},
        {"SIGPOLL", 29},  {"SIGIO", 29},       {"SIGRTMIN", 34},
        {"RTMIN", 34},    {"SIGRTMIN+3", 37},  {"SIGRTMIN+30", 64},
        {"SIGRTMAX", 64}, {"SIGRTMAX-30", 34}, {"rtmax-1", 63},
        {"64", 64},       {"34", 34},          {"SIGRTMIN+0", 34},
        {"9", 9}};
    for (const auto& [text, number] : good) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(parse_signal(text).value_or(-1) == number); }
    }
    for (const char* text :
         {"",          "SIG",         "0",          "-1",         "32",          "33",
          "65",        "99",          "100",        "SIGSIGTERM", "SIGFOO",      " TERM",
          "TERM ",     "SIGRTMIN+31", "SIGRTMIN-1", "SIGRTMAX+1", "SIGRTMAX-31", "SIGRTMIN+",
          "SIGRTMIN3", "SIGRTMIN+ 3", "+15",        "1.5",        "SIGTERM\n",   "ＴＥＲＭ"}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!parse_signal(text)); }
    }
    for (int number = 1; number <= 64; ++number) {
        if (number == 32 || number == 33) continue;
        BOOST_TEST(parse_signal(signal_name(number)).value_or(-1) == number);
        BOOST_TEST(parse_signal(std::to_string(number)).value_or(-1) == number);
    }
    BOOST_TEST(signal_name(15) == "SIGTERM");
    BOOST_TEST(signal_name(37) == "SIGRTMIN+3");
    for (const int number : {-1, 0, 32, 33, 65, 99}) {
        BOOST_TEST(signal_name(number) == "signal " + std::to_string(number));
    }
}

BOOST_AUTO_TEST_CASE(cpusets) {
    const std::vector<std::pair<const char*, const char*>> good{
        {"0", "0"},           {"0-3", "0-3"},    {"0-3,7", "0-3,7"},
        {"7,0-3", "0-3,7"},   {"0,1,2", "0-2"},  {"3-3", "3"},
        {"0-2,2-5", "0-5"},   {"1,1", "1"},      {" 0-1 , 3", "0-1,3"},
        {"0-1,2-3", "0-3"},   {"007", "7"},      {"8191", "8191"},
        {"0-8191", "0-8191"}, {"0,2,4", "0,2,4"}};
    for (const auto& [text, canonical] : good) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(parse_cpuset(text).value_or("none") == canonical); }
    }
    for (const char* text : {"",        " ",     ",",      "0,",           ",0",
                             "0,,1",    "3-1",   "-1",     "1-",           "-",
                             "0--3",    "0-3-5", "a",      "0-b",          "0 1",
                             "0 - 3",   "8192",  "0-8192", "0-4294967295", "18446744073709551616",
                             "0-3:1/2", "all",   "٠",      "0;1",          "0\n"}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!parse_cpuset(text)); }
    }
}

BOOST_AUTO_TEST_CASE(names) {
    for (const std::string text : {"a", "Z", "0", "web", "web-1", "web_1", "web.1", "a..", "a--"}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(valid_name(text)); }
    }
    BOOST_TEST(valid_name(std::string(63, 'a')));
    BOOST_TEST(!valid_name(std::string(64, 'a')));
    for (const char* text :
         {"", ".", "..", "-a", "_a", ".a", "a b", "a/b", "../a", "ä", "a\n", "a:b", "a\x7f"}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!valid_name(text)); }
    }
    BOOST_TEST(!valid_name(std::string_view("a\0b", 3)));
}

BOOST_AUTO_TEST_CASE(capabilities) {
    BOOST_TEST(parse_capability("CAP_NET_ADMIN").value_or("") == "NET_ADMIN");
    BOOST_TEST(parse_capability("net_admin").value_or("") == "NET_ADMIN");
    BOOST_TEST(parse_capability("cap_chown").value_or("") == "CHOWN");
    BOOST_TEST(parse_capability("all").value_or("") == "ALL");
    BOOST_TEST(parse_capability("CHECKPOINT_RESTORE").value_or("") == "CHECKPOINT_RESTORE");
    for (const char* text :
         {"", "CAP_", "CAP_CAP_CHOWN", "NET ADMIN", "ROOT", "NET-ADMIN", "CHOWN "}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!parse_capability(text)); }
    }
}

BOOST_AUTO_TEST_CASE(words) {
    using Words = std::vector<std::string>;
    const std::vector<std::pair<const char*, Words>> good{
        {"", {}},
        {"  \t ", {}},
        {"sleep 9", {"sleep", "9"}},
        {"  sleep\t9\n", {"sleep", "9"}},
        {"sh -c 'echo \"a b\"; x'", {"sh", "-c", "echo \"a b\"; x"}},
        {R"(a "b c" d)", {"a", "b c", "d"}},
        {R"(a"b c"'d e'f)", {"ab cd ef"}},
        {R"(a \  b\ c)", {"a", " ", "b c"}},
        {R"("" '')", {"", ""}},
        {R"("\"\\\$\n")", {R"("\$\n)"}},
        {R"('\')", {"\\"}},
        {"$HOME *.c `x`", {"$HOME", "*.c", "`x`"}},
        {"grüße 'ß x'", {"grüße", "ß x"}},
    };
    for (const auto& [text, words] : good) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST((split_words(text) == words)); }
    }
    for (const char* text : {"'", "\"", "a 'b", "a \"b", "a\\", "\"a\\\"", "'a\"", "\"a'"}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!split_words(text)); }
    }
}

BOOST_AUTO_TEST_SUITE_END()
