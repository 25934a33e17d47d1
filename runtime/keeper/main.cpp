// mydocker-keeper PROGRAM ARGUMENT...: executed by mydockerd in its own place, with a
// SOCK_SEQPACKET socket as descriptor 3. There is no C library in here: a static one alone takes
// more memory than all of this, and the keeper is there for as long as the host is.
#include "runtime/keeper/keeper.hpp"
#include "runtime/keeper/say.hpp"
#include "runtime/keeper/standing.hpp"

// The kernel enters with the stack pointer at argc, argv, null, envp, null (execve(2); the System V
// ABI's "Process Initialization"); there is no address to return to.
#if defined(__x86_64__)
asm(".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "    xor %ebp, %ebp\n"
    "    mov %rsp, %rdi\n"
    "    and $-16, %rsp\n"
    "    call keeper_main\n");
#elif defined(__aarch64__)
asm(".globl _start\n"
    ".type _start, %function\n"
    "_start:\n"
    "    mov x29, #0\n"
    "    mov x30, #0\n"
    "    mov x0, sp\n"
    "    b keeper_main\n");
#endif

namespace {

using namespace mydocker::keeper;

// All that is large, zero at first: pages that are not used are not there.
constinit Table<> table;
constinit Program program;
constinit Watchdog watchdog;

}  // namespace

extern "C" [[noreturn]] void keeper_main(long* stack) {
    const long count = *stack;
    char** const arguments = reinterpret_cast<char**>(stack + 1);
    int type = 0;
    if (count < 2 || sys::get_option(3, SO_TYPE, &type) < 0 || type != SOCK_SEQPACKET) {
        // An upgrade reads this to know what the program speaks before it is executed.
        Say() << "protocol " << int64_t{protocol}
              << "; this is a part of mydockerd and does nothing when run by hand";
        sys::exit(125);
    }
    tidy_descriptors();
    if (!program.set(arguments, arguments + count + 1)) {
        Say() << "the environment has more than 4094 variables";
        sys::exit(125);
    }
    watchdog.set(arguments + count + 1);
    take_standing();
    Keeper(program, table, watchdog).run();
}
