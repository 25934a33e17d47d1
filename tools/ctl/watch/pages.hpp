// What stands where on the screen: the table, a log, the help. It draws what it is given and keeps
// nothing; only rows that are visible are made.
#pragma once

#include <string>

#include "tools/ctl/watch/log_lines.hpp"
#include "tools/ctl/watch/model.hpp"
#include "tools/ctl/watch/screen.hpp"

namespace mydocker::ctl::watch {

struct Bottom {
    std::string text;
    Style style = Style::faint;
};

struct TablePage {
    const Host& host;
    std::string version;
    std::string trouble;  // empty: all is well
    Bottom bottom;
};

// How many containers a screen of so many rows shows.
std::size_t table_room(int rows);
void draw_table(Screen& screen, Model& model, const TablePage& page, Clock::time_point now);

std::size_t log_room(int rows);
void draw_log(Screen& screen, const LogLines& lines, const std::string& title,
              const Bottom& bottom);

void draw_help(Screen& screen);

}  // namespace mydocker::ctl::watch
