// Named places where a test may end mydockerd as if by SIGKILL: at every step of the start
// transaction, of an attempt's end, and of every write of state. mydockerd itself is linked with an
// empty function (off.cpp), the tests' mydockerd-failpoints with the one that looks
// (on.cpp).
#pragma once

namespace mydocker::supervisor {

void failpoint(const char* name);

}  // namespace mydocker::supervisor
