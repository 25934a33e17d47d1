// The terminal as a full screen: rows of styled text out, keys in. The only file that draws with
// curses; what is drawn is pages.cpp's.
#pragma once

#include <string>
#include <string_view>

#include "tools/ctl/raw_terminal.hpp"

namespace mydocker::ctl::watch {

enum class Style : std::uint8_t { plain, green, yellow, red, faint, bold, title };

// A key is the ASCII character it types, or one of these.
namespace key {
inline constexpr int none = -1, escape = 27, enter = '\r', interrupt = 3, suspend = 26;
inline constexpr int up = 0x1000, down = 0x1001, page_up = 0x1002, page_down = 0x1003;
inline constexpr int home = 0x1004, end = 0x1005, backspace = 0x1006, redraw = 0x1007;
inline constexpr int other = 0x1008;
}  // namespace key

// The whole screen from here on, and the shell's screen again when it ends, whatever happens.
class Screen {
public:
    explicit Screen(bool colours);
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    int rows() const;
    int columns() const;
    bool draws_blocks() const { return blocks_; }

    int take_key();      // none: nothing more was typed
    void follow_size();  // after SIGWINCH
    void take_back();    // after SIGCONT: draw everything anew

    // A page: clear(), rows in any order, show(). `text` holds no control characters (fit()).
    void clear();
    void put(int row, int column, const std::string& text, Style style, bool selected = false);
    void show();
    // Whether the terminal takes what show() writes: otherwise it would hold us up.
    static bool is_ready();

private:
    RawTerminal raw_;
    bool colours_;
    bool blocks_;
    void* screen_ = nullptr;  // curses' SCREEN
    void* keys_ = nullptr;    // its WINDOW that is only read from
};

}  // namespace mydocker::ctl::watch
