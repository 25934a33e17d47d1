// The live view without its screen: ticks to rows, order, filter and selection, what fits where,
// and the lines of a log.
#include <boost/test/unit_test.hpp>
#include <clocale>
#include <nlohmann/json.hpp>

#include "tools/ctl/table.hpp"
#include "tools/ctl/watch/columns.hpp"
#include "tools/ctl/watch/log_lines.hpp"

using namespace mydocker::ctl;
using namespace mydocker::ctl::watch;
using namespace std::chrono_literals;

namespace {

using Json = nlohmann::json;

struct Utf8 {
    Utf8() { BOOST_TEST_REQUIRE(std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr); }
    ~Utf8() { std::setlocale(LC_CTYPE, "C"); }
};

Json container(const std::string& name, const std::string& state, double cpu = -1,
               std::int64_t memory = -1) {
    Json object = {{"name", name},
                   {"id", "id-" + name},
                   {"state", state},
                   {"reason", "because"},
                   {"restarts", 2}};
    if (cpu >= 0) object["cpu_percent"] = cpu;
    if (memory >= 0) object["memory"] = memory;
    return object;
}

Json tick(const std::vector<Json>& containers) {
    Json object = {{"time", "2026-01-31T12:00:00Z"}};
    object["containers"] = containers;
    return object;
}

std::string names(const Model& model) {
    std::string text;
    for (const Row* row : model.rows()) text += (text.empty() ? "" : " ") + row->name;
    return text;
}

const Clock::time_point begin{1000s};

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_watch)

BOOST_AUTO_TEST_CASE(a_text_takes_exactly_its_place) {
    const Utf8 locale;
    BOOST_TEST(fit("web", 5) == "web  ");
    BOOST_TEST(fit("web", 5, Align::right) == "  web");
    BOOST_TEST(fit("website", 5) == "webs~");
    BOOST_TEST(fit("website", 7) == "website");
    BOOST_TEST(fit("web", 0) == "");
    BOOST_TEST(fit("web", 1) == "~");
    BOOST_TEST(fit("größe", 4) == "grö~");
    BOOST_TEST(fit("日本語", 6) == "日本語");
    BOOST_TEST(fit("日本語", 5) == "日本~");
    BOOST_TEST(fit("日本語", 4) == "日~ ");  // half a character is none
    // Nothing that a terminal would obey.
    BOOST_TEST(fit("\x1b[2J", 8) == "\\x1b[2J ");
    BOOST_TEST(fit("a\xff\xc2\x9b"
                   "b",
                   5) == "a??b ");
    BOOST_TEST(fit("a\nb", 5) == "a\\nb ");
}

BOOST_AUTO_TEST_CASE(without_utf8_what_is_not_ascii_is_a_question_mark) {
    BOOST_TEST(fit("aö", 4) == "a?? ");
}

BOOST_AUTO_TEST_CASE(graphs_and_bars) {
    const std::vector<double> values{0, 1, 50, 100};
    BOOST_TEST(sparkline(values, 6, 100, true) == "  ▁▁▄█");
    BOOST_TEST(sparkline(values, 2, 100, false) == "-#");
    BOOST_TEST(sparkline(std::vector<double>{100, 400}, 2, 100, true) == "▂█");
    BOOST_TEST(sparkline(std::vector<double>{-1, 100}, 2, 100, true) == " █");  // a gap
    BOOST_TEST(sparkline({}, 3, 100, true) == "   ");
    BOOST_TEST(bar(0.5, 4, false) == "##..");
    BOOST_TEST(bar(7, 4, false) == "####");
    BOOST_TEST(bar(0, 2, false) == "..");
    BOOST_TEST(bar(0.5, 4, true) == "██··");
    BOOST_TEST(bar(0.125, 4, true) == "▌···");
    BOOST_TEST(bar(0.0 / 0.0, 2, false) == "..");
}

BOOST_AUTO_TEST_CASE(numbers_are_short) {
    BOOST_TEST(compact_size(0) == "0B");
    BOOST_TEST(compact_size(999) == "999B");
    BOOST_TEST(compact_size(1000) == "1.0K");
    BOOST_TEST(compact_size(50UL * 1024 * 1024) == "50M");
    BOOST_TEST(compact_size(1536UL * 1024 * 1024) == "1.5G");
    BOOST_TEST(compact_size(UINT64_MAX) == "16E");
    for (std::uint64_t size = 1; size < UINT64_MAX / 3; size *= 3)
        BOOST_TEST(compact_size(size).size() <= 4U, size);
    BOOST_TEST(compact_percent({}) == "-");
    BOOST_TEST(compact_percent(0.04) == "0");
    BOOST_TEST(compact_percent(0.5) == "0.5");
    BOOST_TEST(compact_percent(9.96) == "10");
    BOOST_TEST(compact_percent(200.4) == "200");
    BOOST_TEST(countdown(0) == "now");
    BOOST_TEST(countdown(-5) == "now");
    BOOST_TEST(countdown(1) == "1s");
    BOOST_TEST(countdown(3000) == "3s");
    BOOST_TEST(countdown(90'000) == "1m30s");
}

BOOST_AUTO_TEST_CASE(a_restart_counts_down) {
    Model model;
    Json waiting = container("web", "waiting");
    waiting["next_start_ms"] = 5000;
    BOOST_TEST_REQUIRE(model.take(tick({waiting}), begin));
    BOOST_TEST(model.has_waiting());
    const Row& row = *model.rows().front();
    BOOST_TEST(story(row, begin) == "starts again in 5s: because");
    BOOST_TEST(story(row, begin + 1500ms) == "starts again in 4s: because");
    BOOST_TEST(story(row, begin + 7s) == "starts again now: because");
    BOOST_TEST_REQUIRE(model.take(tick({container("web", "running")}), begin + 6s));
    BOOST_TEST(story(*model.rows().front(), begin + 6s) == "because");
    BOOST_TEST(!model.has_waiting());
}

BOOST_AUTO_TEST_CASE(orders_and_filter) {
    Model model;
    BOOST_TEST_REQUIRE(
        model.take(tick({container("c", "running", 1, 300), container("a", "exited"),
                         container("b", "failed"), container("d", "running", 90, 100)}),
                   begin));
    BOOST_TEST(names(model) == "a b c d");
    const auto by = [&](Order order) {
        model.set_order(order);
        return names(model);
    };
    BOOST_TEST(by(Order::cpu) == "d c a b");
    BOOST_TEST(by(Order::memory) == "c d a b");
    BOOST_TEST(by(Order::state) == "b c d a");
    BOOST_TEST((next(Order::name) == Order::cpu && next(Order::state) == Order::name));
    model.set_filter("d");
    BOOST_TEST(names(model) == "d");
    model.set_filter("nobody");
    BOOST_TEST(model.rows().empty());
    BOOST_TEST((model.selected_row() == nullptr));
    model.move(3);
    model.set_filter("");
    BOOST_TEST(names(model) == "b c d a");
    BOOST_TEST(model.totals().containers == 4U);
    BOOST_TEST(model.totals().cpu == 91.0);
    BOOST_TEST(model.totals().memory == 400U);
    BOOST_TEST(model.totals().states.at("running") == 2U);
}

BOOST_AUTO_TEST_CASE(the_selection_stays_with_its_container) {
    Model model;
    const auto take = [&](const std::vector<Json>& containers) {
        BOOST_TEST_REQUIRE(model.take(tick(containers), begin));
        return model.selected_row()->name;
    };
    BOOST_TEST(take({container("b", "running", 1), container("d", "running", 5)}) == "b");
    // Before the first key it stays with the container as well.
    model.move(1);
    BOOST_TEST(model.selected_row()->name == "d");
    BOOST_TEST(take({container("a", "exited"), container("b", "running", 1),
                     container("d", "running", 5)}) == "d");
    model.set_order(Order::cpu);
    BOOST_TEST(model.selected() == 0U);
    BOOST_TEST(model.selected_row()->name == "d");
    // Gone: the one at its place.
    BOOST_TEST(take({container("a", "exited"), container("b", "running", 1)}) == "b");
    model.move_to(SIZE_MAX);
    BOOST_TEST(model.selected_row()->name == "a");
    model.move(1);
    BOOST_TEST(model.selected_row()->name == "a");
    model.move(-100);
    BOOST_TEST(model.selected_row()->name == "b");
}

BOOST_AUTO_TEST_CASE(the_view_moves_no_more_than_it_must) {
    Model model;
    std::vector<Json> many;
    for (int i = 100; i < 150; ++i) many.push_back(container(std::to_string(i), "running"));
    BOOST_TEST_REQUIRE(model.take(tick(many), begin));
    BOOST_TEST(model.first_shown(10) == 0U);
    model.move(9);
    BOOST_TEST(model.first_shown(10) == 0U);
    model.move(1);
    BOOST_TEST(model.first_shown(10) == 1U);
    model.move(-5);
    BOOST_TEST(model.first_shown(10) == 1U);
    model.move_to(SIZE_MAX);
    BOOST_TEST(model.first_shown(10) == 40U);
    BOOST_TEST(model.first_shown(100) == 0U);  // a larger screen is filled
    BOOST_TEST(model.first_shown(0) == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_no_tick_changes_nothing) {
    Model model;
    BOOST_TEST_REQUIRE(model.take(tick({container("a", "running")}), begin));
    for (const char* text : {"null", "[]", "{}", R"({"containers":3})", "7"})
        BOOST_TEST(!model.take(Json::parse(text), begin), text);
    BOOST_TEST(!model.take(Json::parse("no", nullptr, false), begin));
    BOOST_TEST(names(model) == "a");
    // Strange members are nothing, not an error.
    BOOST_TEST(model.take(Json::parse(R"({"containers":[3,{"name":4,"cpu_percent":"x",
        "memory":null,"pressure":[],"next_start_ms":"soon"}]})"),
                          begin));
    BOOST_TEST(names(model) == "4");
}

BOOST_AUTO_TEST_CASE(history_is_bounded) {
    Model model;
    for (int i = 0; i < 50; ++i)
        BOOST_TEST_REQUIRE(model.take(tick({container("a", "running", i)}), begin));
    BOOST_TEST(model.rows().front()->history.size() == most_samples);
    BOOST_TEST(model.rows().front()->history.back() == 49.0);
}

BOOST_AUTO_TEST_CASE(columns_fit_every_screen) {
    const Utf8 locale;
    Json object = container("web", "running", 12.3, 5'000'000);
    object["memory_max"] = 50'000'000;
    object["pressure"] = {{"cpu", 1.5}, {"memory", 0.0}, {"io", 99.0}};
    Model model;
    BOOST_TEST_REQUIRE(model.take(tick({object}), begin));
    const Row& row = *model.rows().front();
    for (std::size_t width = 1; width < 300; ++width) {
        for (const std::size_t name : {1U, 12U, 60U}) {
            std::size_t used = 0;
            for (const Place& place : places(width, name)) {
                used += (used > 0 ? 1 : 0) + place.width;
                BOOST_TEST(display_width(cell_of(row, place, begin, true)) == place.width);
                BOOST_TEST(display_width(heading_of(place)) == place.width);
            }
            BOOST_TEST(used <= width, "width " << width << ", name " << name);
        }
    }
    const auto line = [&](std::size_t width) {
        std::string text;
        for (const Place& place : places(width, 3))
            text += (text.empty() ? "" : " ") + cell_of(row, place, begin, false);
        return text;
    };
    BOOST_TEST(line(80).starts_with("web      running    because "));
    BOOST_TEST(line(80).find("12 ") != std::string::npos);
    BOOST_TEST(line(80).find("4.8M/48M") != std::string::npos);
    BOOST_TEST(line(120).find("#.....") != std::string::npos);
    BOOST_TEST(line(120).find("1.5   0  99") != std::string::npos);
    BOOST_TEST(detail_of(row, begin) ==
               "web: running, because; memory 4.8M/48M; pressure cpu 1.5 mem 0 io 99");
}

BOOST_AUTO_TEST_CASE(the_host_is_read_between_two_readings) {
    HostReader reader;
    HostFiles files{"cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\n",
                    "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  250 kB\n",
                    "0.52 0.58 0.59 1/467 12345\n",
                    "some avg10=1.50 avg60=0\n",
                    "",
                    "x"};
    Host host = reader.read(files, 2);
    BOOST_TEST(!host.cpu);
    BOOST_TEST(host.memory.value() == 750U * 1024);
    BOOST_TEST(host_line(host, "1.2") ==
               "mydockerd 1.2  host: 2 CPUs, load 0.52, memory 750K/1.0M, pressure cpu 1.5 mem - "
               "io -");
    files.stat = "cpu  150 0 100 740 110 0 0 0 0 0\n";
    BOOST_TEST(reader.read(files, 2).cpu.value() == 50.0);
    BOOST_TEST(!reader.read({}, 0).memory);
    BOOST_TEST(host_line(Host{}, "1.2") == "mydockerd 1.2");
}

BOOST_AUTO_TEST_CASE(lines_of_a_log) {
    LogLines lines;
    const auto page = [&](std::size_t rows, std::size_t columns) {
        std::string text;
        for (const auto& line : lines.page(rows, columns)) text += line.text + '|';
        return text;
    };
    lines.add(LogStream::out, "one\ntw");
    lines.add(LogStream::out, "o\nlong line\n");
    lines.add(LogStream::err, "bad");
    lines.note("end");
    BOOST_TEST(page(10, 80) == "one|two|long line|bad|end|");
    BOOST_TEST(page(3, 80) == "long line|bad|end|");
    BOOST_TEST(page(4, 5) == "long |line|bad|end|");
    BOOST_TEST((lines.page(2, 80)[0].kind == LineKind::err));
    BOOST_TEST(lines.follows());
    lines.scroll(-1, 2, 80);
    BOOST_TEST(!lines.follows());
    BOOST_TEST(page(2, 80) == "long line|bad|");
    lines.note("new");
    BOOST_TEST(page(2, 80) == "long line|bad|");  // stands still
    lines.to_begin(2, 80);
    BOOST_TEST(page(2, 80) == "one|two|");
    lines.scroll(-5, 2, 80);
    BOOST_TEST(page(2, 80) == "one|two|");
    lines.scroll(100, 2, 80);
    BOOST_TEST(lines.follows());
    BOOST_TEST(page(2, 80) == "end|new|");
    lines.clear();
    BOOST_TEST(page(2, 80) == "");
    lines.scroll(-1, 2, 80);
    BOOST_TEST(lines.follows());
}

BOOST_AUTO_TEST_CASE(a_log_is_bounded) {
    LogLines lines;
    const std::string kilobyte(1024, 'x');
    for (int i = 0; i < 100; ++i) lines.add(LogStream::out, kilobyte);
    BOOST_TEST(lines.size() == 1U);
    BOOST_TEST(lines.page(1000, 64).size() == LogLines::longest / 64);
    lines.add(LogStream::out, "\n");
    lines.scroll(-1, 1, 80);
    for (int i = 0; i < 20'000; ++i) lines.add(LogStream::out, kilobyte + '\n');
    BOOST_TEST(lines.size() <= LogLines::most_lines);
    BOOST_TEST(lines.size() >= LogLines::most_bytes / 2048);
    BOOST_TEST(lines.page(3, 80).size() <= 3U);
}

BOOST_AUTO_TEST_CASE(a_line_of_a_workload_is_plain) {
    BOOST_TEST(plain_line("\x1b[1;32mgreen\x1b[0m\r") == "green");
    BOOST_TEST(plain_line("a\tb") == "a       b");
    BOOST_TEST(plain_line("50%\rdone") == "50%\rdone");
    BOOST_TEST(plain_line("\x1b]0;title\x07") == "\x1b]0;title\x07");  // made visible by fit()
    BOOST_TEST(plain_line("\x1b[") == "\x1b[");
}

BOOST_AUTO_TEST_SUITE_END()
