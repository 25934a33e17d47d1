// See failpoint.hpp: what mydockerd is linked with.
#include "supervisor/failpoint/failpoint.hpp"

namespace mydocker::supervisor {

void failpoint(const char* /*name*/) {}

}  // namespace mydocker::supervisor
