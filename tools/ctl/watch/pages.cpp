// See pages.hpp.
#include "tools/ctl/watch/pages.hpp"

#include <algorithm>
#include <array>

#include "tools/ctl/status_text.hpp"
#include "tools/ctl/watch/columns.hpp"

namespace mydocker::ctl::watch {

namespace {

constexpr int heading_rows = 3;  // the host, the totals, the columns' names
constexpr int footing_rows = 2;  // the selected one, what the keys do

constexpr std::array<const char*, 19> help{
    "Up Down PgUp PgDn Home End   choose a container",
    "s   stop it",
    "S   start it",
    "r   restart it",
    "k   kill it (asks first)",
    "l or Enter   follow its log; q or Esc comes back",
    "/   show only names that contain a text; Esc takes the filter away",
    "o   next order: name, cpu, memory, state",
    "h or ?   this help",
    "^L  draw the screen anew       ^Z  to the shell, fg comes back",
    "q or ^C   end",
    "",
    "CPU%       of one CPU, and of the last 20 s as a graph",
    "MEM/LIMIT  what it uses and may use, and that as a bar",
    "PSI        percent of the last 10 s spent waiting for cpu, memory, io",
    "RST        restarts",
    "",
    "Actions go on when you leave; their answers stand in the bottom line.",
    "Any key goes back.",
};

Style style_of(const std::string& state) {
    switch (state_colour(state)) {
        case Colour::green: return Style::green;
        case Colour::yellow: return Style::yellow;
        case Colour::red: return Style::red;
        case Colour::faint: return Style::faint;
        default: return Style::plain;
    }
}

std::size_t width_of(const Screen& screen) { return static_cast<std::size_t>(screen.columns()); }

void put_line(Screen& screen, int row, const std::string& text, Style style) {
    screen.put(row, 0, fit(text, width_of(screen)), style);
}

void draw_row(Screen& screen, int line, const Row& row, const std::vector<Place>& columns,
              bool selected, bool old, Clock::time_point now) {
    if (selected) screen.put(line, 0, std::string(width_of(screen), ' '), Style::plain, true);
    int column = 0;
    for (const Place& place : columns) {
        const bool coloured = place.field == Field::state;
        const Style style = old                          ? Style::faint
                            : coloured                   ? style_of(row.state)
                            : place.field == Field::name ? Style::bold
                                                         : Style::plain;
        screen.put(line, column, cell_of(row, place, now, screen.draws_blocks()), style, selected);
        column += static_cast<int>(place.width) + 1;
    }
}

}  // namespace

std::size_t table_room(int rows) {
    return static_cast<std::size_t>(std::max(0, rows - heading_rows - footing_rows));
}

void draw_table(Screen& screen, Model& model, const TablePage& page, Clock::time_point now) {
    const bool old = !page.trouble.empty();
    put_line(screen, 0, host_line(page.host, page.version), Style::title);
    put_line(screen, 1, old ? page.trouble : totals_line(model), old ? Style::red : Style::plain);

    std::size_t longest = 0;
    for (const Row* row : model.rows()) longest = std::max(longest, row->name.size());
    const std::vector<Place> columns = places(width_of(screen), longest);
    int column = 0;
    for (const Place& place : columns) {
        screen.put(2, column, heading_of(place), Style::bold);
        column += static_cast<int>(place.width) + 1;
    }

    const auto& rows = model.rows();
    const std::size_t room = table_room(screen.rows());
    const std::size_t first = model.first_shown(room);
    for (std::size_t i = first; i < rows.size() && i - first < room; ++i) {
        draw_row(screen, heading_rows + static_cast<int>(i - first), *rows[i], columns,
                 i == model.selected(), old, now);
    }
    if (rows.empty() && room > 0) {
        put_line(screen, heading_rows,
                 !model.knows() ? "Waiting for what mydockerd has to tell..."
                 : model.totals().containers == 0
                     ? "There are no containers. See 'mydocker-ctl run'."
                     : "No name contains the filter; Esc takes it away.",
                 Style::faint);
    }
    if (const Row* row = model.selected_row(); row != nullptr && screen.rows() > footing_rows + 1) {
        const std::string place =
            " " + std::to_string(model.selected() + 1) + '/' + std::to_string(rows.size());
        const std::size_t width = width_of(screen);
        const std::size_t text_width = width - std::min(width, place.size());
        screen.put(screen.rows() - 2, 0, fit(detail_of(*row, now), text_width) + place,
                   Style::plain);
    }
    put_line(screen, screen.rows() - 1, page.bottom.text, page.bottom.style);
}

std::size_t log_room(int rows) { return static_cast<std::size_t>(std::max(0, rows - 2)); }

void draw_log(Screen& screen, const LogLines& lines, const std::string& title,
              const Bottom& bottom) {
    put_line(screen, 0, title, Style::title);
    int row = 1;
    for (const LogLines::Shown& line : lines.page(log_room(screen.rows()), width_of(screen))) {
        const Style style = line.kind == LineKind::note  ? Style::faint
                            : line.kind == LineKind::err ? Style::yellow
                                                         : Style::plain;
        screen.put(row++, 0, line.text, style);
    }
    put_line(screen, screen.rows() - 1, bottom.text, bottom.style);
}

void draw_help(Screen& screen) {
    put_line(screen, 0, "mydocker-ctl watch", Style::title);
    int row = 2;
    for (const char* line : help) put_line(screen, row++, line, Style::plain);
}

}  // namespace mydocker::ctl::watch
