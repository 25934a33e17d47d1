// What the init may call. Between clone and exec there is no C++ library, no heap and no stdio: all
// that its object files leave undefined is on this list, and the list holds thin wrappers of system
// calls, and string functions that touch nothing but their arguments.
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <set>
#include <sstream>
#include <string>

#include "tests/scratch.hpp"

namespace {

using Names = std::set<std::string>;

const Names system_calls = {"_exit",       "chdir",
                            "chmod",       "clone",
                            "close",       "dup2",
                            "execve",      "fchdir",
                            "fcntl",       "fork",
                            "getsockopt",  "ioctl",
                            "kill",        "lstat",
                            "mkdir",       "mkdirat",
                            "mknod",       "mmap",
                            "mremap",      "open",
                            "openat",      "prctl",
                            "read",        "recvmsg",
                            "sendmsg",     "setgroups",
                            "setns",       "sethostname",
                            "setresgid",   "setresuid",
                            "setrlimit",   "setsid",
                            "sigaction",   "sigemptyset",
                            "sigfillset",  "sigprocmask",
                            "sigwaitinfo", "socket",
                            "stat",        "symlink",
                            "syscall",     "umask",
                            "unshare",     "waitpid",
                            "write",       "__errno_location"};
const Names pure_functions = {"memcmp", "memcpy",  "memmove", "memset", "strchr",
                              "strlen", "strnlen", "strrchr", "strtoul"};

// The name in our list: Ubuntu's compiler hardens calls (__read_chk), newer C libraries version
// some (__isoc23_strtoul).
std::string plain(std::string name) {
    if (name.starts_with("__isoc23_")) return name.substr(9);
    if (name.starts_with("__") && name.ends_with("_chk")) return name.substr(2, name.size() - 6);
    return name;
}

// nm(1)'s words for these files: the last of each line is the symbol.
Names symbols(const std::string& options) {
    std::string files = mydocker::tests::contents(MYDOCKER_INIT_OBJECTS);
    for (char& letter : files)
        if (letter == '\n') letter = ' ';
    FILE* nm = ::popen((MYDOCKER_NM " " + options + " " + files).c_str(), "r");
    BOOST_REQUIRE(nm != nullptr);
    std::string text;
    char buffer[4096];
    for (std::size_t size = 0; (size = std::fread(buffer, 1, sizeof buffer, nm)) > 0;)
        text.append(buffer, size);
    BOOST_REQUIRE(::pclose(nm) == 0);
    Names names;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t space = line.rfind(' ');
        if (space != std::string::npos) names.insert(line.substr(space + 1));
    }
    return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(init_symbols)

BOOST_AUTO_TEST_CASE(the_init_calls_nothing_but_what_is_listed) {
    const Names own = symbols("--defined-only");
    const Names undefined = symbols("--undefined-only");
    BOOST_TEST(own.contains("main"));
    BOOST_TEST(undefined.contains("execve"));
    for (const std::string& name : undefined) {
        const bool known = own.contains(name) || system_calls.contains(plain(name)) ||
                           pure_functions.contains(plain(name));
        BOOST_TEST(known, name << " is called by the init and is not on the list");
    }
}

BOOST_AUTO_TEST_SUITE_END()
