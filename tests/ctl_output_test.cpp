// What mydocker-ctl shows: templates, tables that fit, words for times and states.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tools/ctl/error.hpp"
#include "tools/ctl/status_text.hpp"
#include "tools/ctl/table.hpp"
#include "tools/ctl/template.hpp"
#include "tools/ctl/times.hpp"

using namespace mydocker::ctl;
using Json = nlohmann::json;

namespace {

std::string rendered(const char* text) {
    static const Json record = {{"name", "web"},
                                {"exit_code", nullptr},
                                {"next_start_ms", 400},
                                {"command", {"sh", "-c", "a b"}},
                                {"config", {{"restart", {{"policy", "always"}}}}}};
    try {
        return Template(text).render(record);
    } catch (const UsageError& error) {
        return error.what();
    }
}

Time at(const char* text) { return parse_rfc3339(text).value(); }

std::string shown(Json summary) { return status_text(summary, at("2026-01-31T12:00:00Z")); }

}  // namespace

BOOST_AUTO_TEST_SUITE(ctl_output)

BOOST_AUTO_TEST_CASE(templates) {
    BOOST_TEST(rendered("{{.Name}}\\t{{.name}}\\n") == "web\tweb\n");
    BOOST_TEST(rendered("plain") == "plain");
    BOOST_TEST(rendered("") == "");
    BOOST_TEST(rendered("[{{ .ExitCode }}]") == "[]");
    BOOST_TEST(rendered("{{.next_start_ms}}/{{.NextStartMs}}") == "400/400");
    BOOST_TEST(rendered("{{.Command}}") == "sh -c a b");
    BOOST_TEST(rendered("{{json .Command}} {{json .exit_code}}") == R"(["sh","-c","a b"] null)");
    BOOST_TEST(rendered("{{.Config.Restart.Policy}}") == "always");
    BOOST_TEST(rendered("{{.Config.restart}}") == R"({"policy":"always"})");
    BOOST_TEST(rendered("{{.Names}}{{\"\\t\"}}{{upper .Name}} {{len .Command}} {{len .Name}}") ==
               "web\tWEB 3 3");
    BOOST_TEST(rendered("{{lower .Names}}{{\"\"}}{{\"}\"}}") == "web}");
    BOOST_TEST(rendered("}} {x}") == "}} {x}");
    BOOST_TEST(rendered("a\\\\tb") == "a\\tb");
}

BOOST_AUTO_TEST_CASE(template_errors_say_what_is_wrong) {
    BOOST_TEST(rendered("{{.Name") == "--format: '{{' without '}}' in '{{.Name'");
    BOOST_TEST(rendered("{{range .x}}") ==
               "--format: '{{range .x}}' is not understood; write {{.Field}} or {{json .Field}}");
    BOOST_TEST(rendered("{{}}") ==
               "--format: '{{}}' is not understood; write {{.Field}} or {{json .Field}}");
    BOOST_TEST(rendered("{{.Config.Restart.Nope}}") ==
               "--format: there is no field .Nope; there are policy");
    BOOST_TEST(rendered("{{.Name.First}}") == "--format: there is no field .First here");
}

BOOST_AUTO_TEST_CASE(template_heading) {
    BOOST_TEST(Template("{{.Name}}\\t{{json .Config.Restart}}").heading() == "NAME\tRESTART");
}

BOOST_AUTO_TEST_CASE(tables_are_aligned_and_fit) {
    const std::vector<TableColumn> columns = {{"NAME"}, {"STATUS", true}, {"COMMAND", true}};
    const std::vector<std::vector<Cell>> rows = {
        {{"web"}, {"Up 5 seconds"}, {"/usr/bin/stress --vm 1"}},
        {{"grün"}, {""}, {"x"}},
    };
    BOOST_TEST(format_table(columns, rows, {}) ==
               "NAME   STATUS         COMMAND\n"
               "web    Up 5 seconds   /usr/bin/stress --vm 1\n"
               "grün                  x\n");
    // The widest elastic column gives way first; the name never does.
    BOOST_TEST(format_table(columns, rows, {.width = 36}) ==
               "NAME   STATUS         COMMAND\n"
               "web    Up 5 seconds   /usr/bin/stre…\n"
               "grün                  x\n");
    BOOST_TEST(format_table(columns, rows, {.width = 5}) ==
               "NAME   STATUS     COMMAND\n"
               "web    Up 5 se…   /usr/bi…\n"
               "grün              x\n");
}

BOOST_AUTO_TEST_CASE(no_line_is_wider_than_the_terminal) {
    const std::vector<TableColumn> columns = {{"A"}, {"B", true}, {"C", true}, {"D", true}};
    const std::vector<std::vector<Cell>> rows = {
        {{"name"}, {std::string(90, 'b')}, {std::string(40, 'c')}, {"d"}}};
    for (std::size_t width = 40; width < 160; ++width) {
        const std::string table = format_table(columns, rows, {.width = width});
        for (std::size_t start = 0; start < table.size();) {
            const std::size_t end = table.find('\n', start);
            BOOST_TEST(display_width(table.substr(start, end - start)) <= width);
            start = end + 1;
        }
    }
}

BOOST_AUTO_TEST_CASE(a_hostile_cell_cannot_steer_the_terminal) {
    const std::string table = format_table({{"X"}}, {{{"\x1b[2J\n\t\x7f"}}}, {});
    BOOST_TEST(table == "X\n\\x1b[2J\\n\\t\\x7f\n");
}

BOOST_AUTO_TEST_CASE(colours_do_not_shift_columns) {
    const std::vector<std::vector<Cell>> rows = {{{"up", Colour::green}, {"x"}}};
    BOOST_TEST(format_table({{"STATE"}, {"B"}}, rows, {.colour = true}) ==
               "\x1b[1mSTATE\x1b[0m   \x1b[1mB\x1b[0m\n\x1b[32mup\x1b[0m      x\n");
}

BOOST_AUTO_TEST_CASE(rfc3339) {
    const char* same[] = {"2026-01-31T12:00:00.5Z", "2026-01-31T13:00:00.500000000+01:00",
                          "2026-01-31t06:30:00.5-05:30", "2026-01-31 12:00:00.5000000000001z"};
    for (const char* text : same) {
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST_REQUIRE(parse_rfc3339(text).has_value());
            BOOST_TEST(format_rfc3339(*parse_rfc3339(text)) == "2026-01-31T12:00:00.500000000Z");
        }
    }
    for (const char* text :
         {"", "2026", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00",
          "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+1:00",
          "-026-01-31T12:00:00Z", "9999-01-31T12:00:00Z"}) {
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!parse_rfc3339(text).has_value()); }
    }
}

BOOST_AUTO_TEST_CASE(since) {
    const Time now = at("2026-01-31T12:00:00Z");
    BOOST_TEST(format_rfc3339(parse_since("10m", now).value()) == "2026-01-31T11:50:00.000000000Z");
    BOOST_TEST(format_rfc3339(parse_since("2026-01-01T00:00:00Z", now).value()) ==
               "2026-01-01T00:00:00.000000000Z");
    BOOST_TEST(!parse_since("yesterday", now).has_value());
}

BOOST_AUTO_TEST_CASE(spans) {
    using namespace std::chrono_literals;
    BOOST_TEST(rough_span(-3s) == "Less than a second");
    BOOST_TEST(rough_span(1s) == "1 second");
    BOOST_TEST(rough_span(59s) == "59 seconds");
    BOOST_TEST(rough_span(70s) == "About a minute");
    BOOST_TEST(rough_span(45min) == "45 minutes");
    BOOST_TEST(rough_span(70min) == "About an hour");
    BOOST_TEST(rough_span(47h) == "47 hours");
    BOOST_TEST(rough_span(72h) == "3 days");
    BOOST_TEST(rough_span(24h * 20) == "2 weeks");
    BOOST_TEST(rough_span(24h * 800) == "2 years");
    BOOST_TEST(short_span(0) == "0s");
    BOOST_TEST(short_span(400) == "400ms");
    BOOST_TEST(short_span(1234) == "1.2s");
    BOOST_TEST(short_span(9999) == "10s");
    BOOST_TEST(short_span(90400) == "1m30s");
    BOOST_TEST(short_span(3 * 3600 * 1000 + 29000) == "3h");
}

BOOST_AUTO_TEST_CASE(status_of_every_state) {
    BOOST_TEST(shown({{"state", "running"}, {"uptime_ms", 5200}}) == "Up 5 seconds");
    BOOST_TEST(shown({{"state", "waiting"}, {"next_start_ms", 400}}) == "Restarting in 400ms");
    BOOST_TEST(shown({{"state", "waiting"}, {"next_start_ms", nullptr}}) == "Waiting to restart");
    BOOST_TEST(shown({{"state", "exited"},
                      {"exit_code", 3},
                      {"cause", "exit"},
                      {"finished", "2026-01-31T11:58:00Z"}}) == "Exited (3) 2 minutes ago");
    BOOST_TEST(
        shown({{"state", "exited"}, {"exit_code", 0}, {"cause", "clean"}, {"finished", ""}}) ==
        "Exited (0)");
    BOOST_TEST(shown({{"state", "failed"},
                      {"exit_code", 137},
                      {"cause", "oom"},
                      {"finished", "2026-01-31T11:58:00Z"},
                      {"reason", "5 restarts in 10m"}}) ==
               "Failed (137, oom) 2 minutes ago: 5 restarts in 10m");
    BOOST_TEST(shown({{"state", "failed"},
                      {"exit_code", nullptr},
                      {"cause", "start-error"},
                      {"reason", "no such file"}}) == "Failed (start-error): no such file");
    BOOST_TEST(shown({{"state", "created"}, {"created", "2026-01-31T11:00:00Z"}}) ==
               "Created About an hour ago");
    BOOST_TEST(shown({{"state", "unkillable"}, {"reason", "pid 7 is in D state"}}) ==
               "Unkillable: pid 7 is in D state");
    for (const char* state : {"queued", "starting", "stopping", "cleaning"}) {
        BOOST_TEST(!shown({{"state", state}}).empty());
    }
}

BOOST_AUTO_TEST_CASE(what_ps_shows_by_default) {
    const auto shows = [](const char* state, const char* origin) {
        return is_shown_by_default({{"state", state}, {"origin", origin}});
    };
    for (const char* state :
         {"queued", "starting", "running", "stopping", "waiting", "unkillable"}) {
        BOOST_TEST(shows(state, "client"));
    }
    for (const char* state : {"created", "exited", "failed"}) {
        BOOST_TEST(!shows(state, "client"));
        BOOST_TEST(shows(state, "file"));
    }
}

BOOST_AUTO_TEST_CASE(command_lines_are_quoted_where_needed) {
    BOOST_TEST(command_line({"sh", "-c", "echo $@", "", "it's"}) ==
               R"(sh -c 'echo $@' '' 'it'\''s')");
    BOOST_TEST(command_line(nullptr) == "");
}

BOOST_AUTO_TEST_CASE(ends_of_attempts) {
    BOOST_TEST(end_text({{"cause", "exit"}, {"exit_code", 3}}) == "exit 3");
    BOOST_TEST(end_text({{"cause", "signal"}, {"signal", "SIGSEGV"}}) == "SIGSEGV");
    BOOST_TEST(end_text({{"cause", "oom"}, {"signal", "SIGKILL"}}) == "oom (SIGKILL)");
    BOOST_TEST(end_text({{"cause", "start-error"}, {"error", "execve /x: No such file"}}) ==
               "start-error: execve /x: No such file");
    BOOST_TEST(end_text({{"cause", "operator"}, {"exit_code", 0}}) == "operator (exit 0)");
    BOOST_TEST(end_text({{"cause", ""}, {"exit_code", nullptr}}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
