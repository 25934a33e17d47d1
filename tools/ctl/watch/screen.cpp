// curses keeps its modes inside ours: RawTerminal and its guard have set the terminal before, so it
// is put back even if this process is killed.
#include "tools/ctl/watch/screen.hpp"

#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/watch/terminfo.hpp"

// Last: its macros are lower-case words.
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>

namespace mydocker::ctl::watch {

namespace {

constexpr int escape_delay_ms = 25;  // how long after ESC the rest of a key may come

enum Pair : short { green_pair = 1, yellow_pair, red_pair, title_pair };

// The console's fonts have none but full and half blocks.
bool has_blocks() {
    const char* term = std::getenv("TERM");
    return std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0 &&
           !(term != nullptr && std::strcmp(term, "linux") == 0);
}

// Terminals send these whatever their description says, as when TERM is not quite right.
void define_usual_keys() {
    constexpr std::pair<const char*, int> usual[] = {
        {"\x1b[A", KEY_UP},   {"\x1bOA", KEY_UP},   {"\x1b[B", KEY_DOWN},   {"\x1bOB", KEY_DOWN},
        {"\x1b[H", KEY_HOME}, {"\x1bOH", KEY_HOME}, {"\x1b[1~", KEY_HOME},  {"\x1b[F", KEY_END},
        {"\x1bOF", KEY_END},  {"\x1b[4~", KEY_END}, {"\x1b[5~", KEY_PPAGE}, {"\x1b[6~", KEY_NPAGE}};
    for (const auto& [bytes, code] : usual)
        if (::key_defined(bytes) == 0) ::define_key(bytes, code);
}

WINDOW* window(void* pointer) { return static_cast<WINDOW*>(pointer); }

}  // namespace

Screen::Screen(bool colours) : raw_(STDIN_FILENO, farewell()), colours_(colours), blocks_(false) {
    std::setlocale(LC_CTYPE, "");
    blocks_ = has_blocks();
    std::signal(SIGTSTP, SIG_IGN);  // curses' own handler would write to the terminal
    ::use_tioctl(TRUE);             // the real size, not LINES and COLUMNS
    screen_ = ::newterm(nullptr, stdout, stdin);
    if (screen_ == nullptr) {
        throw Failure(
            "watch cannot use this terminal; use `mydocker-ctl stats` or `mydocker-ctl ps`",
            protocol::exit_daemon);
    }
    ::raw();
    ::noecho();
    ::nonl();
    ::curs_set(0);
    ::set_escdelay(escape_delay_ms);
    ::leaveok(stdscr, TRUE);
    ::scrollok(stdscr, FALSE);
    keys_ = ::newpad(1, 1);  // reading from a pad draws nothing
    if (keys_ == nullptr) {
        ::endwin();
        throw Failure("watch cannot use this terminal: no memory", protocol::exit_daemon);
    }
    ::keypad(window(keys_), TRUE);
    ::nodelay(window(keys_), TRUE);
    define_usual_keys();
    colours_ = colours_ && ::has_colors() && ::start_color() == OK;
    if (!colours_) return;
    const short background = ::use_default_colors() == OK ? -1 : COLOR_BLACK;
    ::init_pair(green_pair, COLOR_GREEN, background);
    ::init_pair(yellow_pair, COLOR_YELLOW, background);
    ::init_pair(red_pair, COLOR_RED, background);
    ::init_pair(title_pair, COLOR_CYAN, background);
}

Screen::~Screen() {
    // A terminal that nobody reads would hold up our end; then its modes alone are put back.
    if (is_ready()) ::endwin();
    ::delwin(window(keys_));
    ::delscreen(static_cast<SCREEN*>(screen_));
    std::signal(SIGTSTP, SIG_DFL);
}

int Screen::rows() const { return ::getmaxy(stdscr); }
int Screen::columns() const { return ::getmaxx(stdscr); }

int Screen::take_key() {
    const int code = ::wgetch(window(keys_));
    switch (code) {
        case ERR: return key::none;
        case KEY_UP: return key::up;
        case KEY_DOWN: return key::down;
        case KEY_PPAGE: return key::page_up;
        case KEY_NPAGE: return key::page_down;
        case KEY_HOME: return key::home;
        case KEY_END: return key::end;
        case KEY_ENTER:
        case '\n': return key::enter;
        case KEY_BACKSPACE:
        case '\b':
        case 0x7f: return key::backspace;
        case 12: return key::redraw;  // ^L
        default: return code < 0x80 ? code : key::other;
    }
}

void Screen::follow_size() {
    const auto size = window_size();
    if (size) ::resizeterm(size->rows, size->columns);
    ::clearok(curscr, TRUE);
}

void Screen::take_back() {
    raw_.take_back();
    ::clearok(curscr, TRUE);
    ::curs_set(0);
    follow_size();
}

void Screen::clear() { ::werase(stdscr); }

void Screen::put(int row, int column, const std::string& text, Style style, bool selected) {
    if (row < 0 || row >= rows() || column < 0 || column >= columns()) return;
    const auto pair = [&](Pair number) {
        return colours_ ? static_cast<attr_t>(COLOR_PAIR(number)) : A_NORMAL;
    };
    attr_t attributes = A_NORMAL;
    switch (style) {
        case Style::plain: break;
        case Style::green: attributes = pair(green_pair); break;
        case Style::yellow: attributes = pair(yellow_pair); break;
        case Style::red: attributes = pair(red_pair) | A_BOLD; break;
        case Style::faint: attributes = A_DIM; break;
        case Style::bold: attributes = A_BOLD; break;
        case Style::title: attributes = pair(title_pair) | A_BOLD; break;
    }
    if (selected) attributes |= A_REVERSE;
    ::wattrset(stdscr, static_cast<int>(attributes));
    ::mvwaddstr(stdscr, row, column, text.c_str());
    ::wattrset(stdscr, A_NORMAL);
}

void Screen::show() {
    ::wnoutrefresh(stdscr);
    ::doupdate();
}

bool Screen::is_ready() {
    pollfd room{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0;
}

}  // namespace mydocker::ctl::watch
