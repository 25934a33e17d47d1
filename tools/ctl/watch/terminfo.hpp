// What the description of the terminal's type (TERM) says about it. A file of its own, because
// term.h makes macros of everyday words.
#pragma once

#include <string>

namespace mydocker::ctl::watch {

// Throws Failure where standard input or output is no terminal, or one without a screen.
void require_screen();

// After require_screen(): what brings back the shell's screen, the cursor, plain text and the
// keypad.
std::string farewell();

}  // namespace mydocker::ctl::watch
