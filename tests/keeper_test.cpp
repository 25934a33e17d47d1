// The real keeper over fake mydockerds that are killed, and over real children.
#include <elf.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <string>

#include "tests/keeper_world.hpp"

using namespace mydocker;
using namespace mydocker::tests;
namespace fs = std::filesystem;

namespace {

// Its messages lie in the socket when the keeper comes to look.
void dies_unheard(const KeeperWorld& world, Fake& fake, const std::string& command) {
    const auto is_in_state = [](pid_t pid, char state) {
        const std::string stat = stat_of(pid);
        const std::size_t name_end = stat.rfind(')');
        return name_end != std::string::npos && stat[name_end + 2] == state;
    };
    ::kill(world.pid, SIGSTOP);
    BOOST_TEST(eventually([&] { return is_in_state(world.pid, 'T'); }));
    fake.order(command);
    BOOST_TEST(eventually([&] { return is_in_state(fake.pid, 'Z'); }));
    ::kill(world.pid, SIGCONT);
}

// It holds 1.
Fake at_work(KeeperWorld& world) {
    Fake first = world.next();
    first.tell("receive");
    first.tell("hold 1 one");
    first.tell("ready");
    return first;
}

// It has heard of it, and does not come to obey.
void die_told_to_stop(KeeperWorld& world) {
    Fake first = at_work(world);
    ::kill(world.pid, SIGTERM);
    BOOST_TEST(first.tell("signal") == std::to_string(SIGTERM));
    first.order("die");
}

int kib_of(pid_t pid) {  // its proportional share of memory (proc_pid_smaps(5))
    std::istringstream lines(contents("/proc/" + std::to_string(pid) + "/smaps_rollup"));
    for (std::string word; lines >> word;) {
        int kib = 0;
        if (word == "Pss:" && lines >> kib) return kib;
    }
    return -1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper)

BOOST_AUTO_TEST_CASE(it_is_static_and_calls_nobody) {
    const std::string program = contents(MYDOCKER_KEEPER);
    Elf64_Ehdr header;
    BOOST_REQUIRE(program.size() > sizeof header);
    std::memcpy(&header, program.data(), sizeof header);
    BOOST_TEST(header.e_type == ET_EXEC);
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr part;
        std::memcpy(&part, program.data() + header.e_phoff + i * sizeof part, sizeof part);
        BOOST_TEST(part.p_type != static_cast<unsigned>(PT_INTERP));
        BOOST_TEST(part.p_type != static_cast<unsigned>(PT_DYNAMIC));
    }
    FILE* nm = ::popen(MYDOCKER_NM " --undefined-only " MYDOCKER_KEEPER, "r");
    BOOST_REQUIRE(nm != nullptr);
    char line[200];
    while (std::fgets(line, sizeof line, nm) != nullptr) BOOST_ERROR("it needs " << line);
    BOOST_TEST(::pclose(nm) == 0);
    nm = ::popen(MYDOCKER_NM " --defined-only " MYDOCKER_KEEPER " | grep -c keeper_main", "r");
    BOOST_REQUIRE(nm != nullptr);
    BOOST_REQUIRE(std::fgets(line, sizeof line, nm) != nullptr);
    BOOST_TEST(std::string(line) == "1\n");  // so nm(1) does see
    BOOST_TEST(::pclose(nm) == 0);
}

BOOST_AUTO_TEST_CASE(by_hand_it_only_says_what_it_is) {
    Scratch scratch;
    const std::string command =
        MYDOCKER_KEEPER " true 3</dev/null 2>" + (scratch / "said").string();
    const int status = std::system(command.c_str());
    BOOST_TEST(WEXITSTATUS(status) == 125);
    BOOST_TEST(contents(scratch / "said") ==
               "mydocker-keeper: protocol 2; this is a part of mydockerd and does nothing when run "
               "by hand\n");
}

BOOST_AUTO_TEST_CASE(a_keeper_that_cannot_be_executed_leaves_descriptor_3_as_it_was) {
    const runtime::KeeperPair pair = runtime::make_keeper_pair();
    struct stat before {
    }, after{};
    const int open = ::fstat(3, &before);
    BOOST_CHECK_EXCEPTION(
        runtime::become_keeper("/nonexistent/keeper", "true", {}, pair.theirs, {}),
        std::system_error, [](const std::system_error& error) {
            return std::string(error.what()) ==
                   "execute /nonexistent/keeper: No such file or directory";
        });
    BOOST_TEST(::fstat(3, &after) == open);
    BOOST_TEST(before.st_ino == after.st_ino);
}

BOOST_AUTO_TEST_CASE(descriptors_come_back_to_the_successor) {
    KeeperWorld world;
    Fake first = world.next();
    BOOST_TEST(first.keeper == world.pid);
    BOOST_TEST(first.tell("receive") == "0 0 1");
    BOOST_TEST(first.tell("text 0") == "own");
    first.tell("hold 1 one");
    first.tell("hold 2 two");
    first.tell("hold 2 deux");
    first.tell("hold 3 three");
    first.tell("drop 3");
    first.tell("ready");
    ::kill(first.pid, SIGKILL);
    Fake second = world.next();
    BOOST_TEST(second.tell("receive") == "1 9 3");
    BOOST_TEST(second.tell("text 1") == "one");
    BOOST_TEST(second.tell("text 2") == "deux");
    BOOST_TEST(second.tell("text 3") == "none");
    BOOST_TEST(world.said() == "mydocker-keeper: mydockerd (pid " + std::to_string(first.pid) +
                                   ") was killed by signal 9; starting another in 0 ms "
                                   "(crash 1 in a row)\n");
    second.tell("forget 1");
    second.tell("forget 2");
    second.order("exit 3");
    BOOST_TEST(world.next().tell("receive") == "2 768 1");
}

BOOST_AUTO_TEST_CASE(what_is_sent_in_the_last_moment_is_held) {
    KeeperWorld world;
    Fake first = world.next();
    first.tell("receive");
    first.tell("ready");
    // More than one turn of its loop reads.
    dies_unheard(world, first, "hold_many_and_die 400");
    // It dies without reading what is held, which makes the keeper's socket say ECONNRESET.
    Fake second = world.next();
    dies_unheard(world, second, "hold_and_die 401 last");
    Fake third = world.next();
    BOOST_TEST(third.tell("receive") == "2 9 402");
    BOOST_TEST(third.tell("text 401") == "last");
}

BOOST_AUTO_TEST_CASE(an_orphans_zombie_stays_until_it_is_forgotten) {
    KeeperWorld world;
    Fake first = world.next();
    first.tell("receive");
    first.tell("ready");
    const pid_t stray = world.spawn(first, 0, 1);
    const pid_t before = world.spawn(first, 1, 41);
    const pid_t after = world.spawn(first, 2, 42);
    const pid_t runs = world.spawn(first, 3, 43);
    ::kill(before, SIGUSR1);
    BOOST_TEST(eventually([&] { return is_zombie_with(before, 41 << 8); }));
    first.order("die");
    Fake second = world.next();
    BOOST_TEST(second.tell("receive") == "1 9 4");
    ::kill(after, SIGUSR1);
    BOOST_TEST(eventually([&] { return is_zombie_with(after, 42 << 8); }));
    // A turn of the keeper's loop.
    ::kill(world.pid, SIGHUP);
    BOOST_TEST(second.tell("signal") == std::to_string(SIGHUP));
    BOOST_TEST(is_zombie_with(before, 41 << 8));
    BOOST_TEST(is_zombie_with(after, 42 << 8));
    second.tell("forget 1");
    BOOST_TEST(eventually([&] { return is_gone(before); }));
    BOOST_TEST(is_zombie_with(after, 42 << 8));
    second.tell("forget 2");
    BOOST_TEST(eventually([&] { return is_gone(after); }));
    // One that is forgotten while it runs is nobody's any more; nor was the stray ever.
    second.tell("forget 3");
    ::kill(runs, SIGUSR1);
    ::kill(stray, SIGUSR1);
    BOOST_TEST(eventually([&] { return is_gone(runs) && is_gone(stray); }));
}

BOOST_AUTO_TEST_CASE(strays_are_reaped) {
    KeeperWorld world;
    Fake first = world.next();
    first.tell("receive");
    first.tell("ready");
    const pid_t one = world.spawn(first, 0, 1);
    const pid_t other = world.spawn(first, 0, 2);
    ::kill(one, SIGUSR1);
    BOOST_TEST(eventually([&] { return is_zombie_with(one, 1 << 8); }));
    first.order("die");
    BOOST_TEST(eventually([&] { return is_gone(one); }));
    ::kill(other, SIGUSR1);
    BOOST_TEST(eventually([&] { return is_gone(other); }));
}

BOOST_AUTO_TEST_CASE(it_retires_with_the_code_it_is_told) {
    KeeperWorld world;
    Fake first = world.next();
    first.tell("receive");
    first.tell("hold 1 one");
    first.tell("ready");
    first.tell("retire 7");
    first.order("exit 0");
    BOOST_TEST(world.end() == 7 << 8);
    BOOST_TEST(world.said().empty());
}

BOOST_AUTO_TEST_CASE(a_first_start_that_fails_is_its_own_end) {
    KeeperWorld three(MYDOCKER_KEEPER, {"fail", "3"});
    BOOST_TEST(three.end() == 3 << 8);
    BOOST_TEST(three.says(") exited with code 3 before it was ready; giving up"));
    KeeperWorld killed(MYDOCKER_KEEPER, {"fail", "-9"});
    BOOST_TEST(killed.end() == (128 + 9) << 8);
    KeeperWorld missing(MYDOCKER_KEEPER, {"x"}, "/nonexistent/mydockerd");
    BOOST_TEST(missing.end() == 127 << 8);
    BOOST_TEST(missing.says("cannot execute /nonexistent/mydockerd: No such file or directory"));
}

BOOST_AUTO_TEST_CASE(who_holds_a_container_never_gives_up) {
    KeeperWorld world;
    Fake first = world.next();
    first.tell("hold 1 one");
    first.order("exit 3");  // it was never ready
    BOOST_TEST(world.next().tell("receive") == "1 768 2");
}

BOOST_AUTO_TEST_CASE(who_is_told_to_stop_and_cannot_start_anybody_stops) {
    KeeperWorld world;
    die_told_to_stop(world);
    for (int start = 0; start < 5; ++start) world.next().order("exit 3");
    BOOST_TEST(world.end() == 3 << 8);
    BOOST_TEST(world.says("giving up; containers are left running"));
}

BOOST_AUTO_TEST_CASE(who_comes_to_hear_of_the_stop_has_all_its_tries) {
    KeeperWorld world;
    die_told_to_stop(world);
    for (int start = 0; start < 3; ++start) world.next().order("exit 3");
    Fake heard = world.next();
    heard.tell("ready");
    heard.order("die");
    for (int start = 0; start < 2; ++start) world.next().order("exit 3");
    Fake last = world.next();
    last.tell("ready");
    last.tell("retire 0");
    last.order("exit 0");
    BOOST_TEST(world.end() == 0);
}

BOOST_AUTO_TEST_CASE(it_backs_off_and_says_so) {
    KeeperWorld world;
    for (int crash = 0; crash < 4; ++crash) {
        Fake fake = world.next();
        if (crash == 0) fake.tell("ready");
        fake.order("die");
    }
    BOOST_TEST(world.next().tell("receive") == "4 9 1");
    for (const std::string text : {"another in 0 ms (crash 1 in a row)", "50 ms (crash 2 in a row)",
                                   "100 ms (crash 3 in a row)", "200 ms (crash 4 in a row)"})
        BOOST_TEST(world.says(text), text);
}

BOOST_AUTO_TEST_CASE(signals_are_forwarded) {
    KeeperWorld world;
    Fake first = world.next();
    BOOST_TEST(first.tell("limits") == "1 2 12 15 default own");
    first.tell("ready");
    for (const int signal : {SIGHUP, SIGUSR2}) {
        ::kill(world.pid, signal);
        BOOST_TEST(first.tell("signal") == std::to_string(signal));
    }
    ::kill(world.pid, SIGINT);
    BOOST_TEST(first.tell("signal") == std::to_string(SIGINT));
    // A stop is asked of each successor again; the reload was not.
    first.order("die");
    Fake second = world.next();
    BOOST_TEST(second.tell("signal") == std::to_string(SIGINT));
}

BOOST_AUTO_TEST_CASE(signals_end_a_back_off) {
    KeeperWorld world;
    for (int crash = 0; crash < 8; ++crash) {
        Fake fake = world.next();
        if (crash == 0) fake.tell("ready");
        fake.order("die");
    }
    BOOST_TEST(world.says("3200 ms (crash 8 in a row)"));
    ::kill(world.pid, SIGHUP);
    ::kill(world.pid, SIGTERM);
    Fake fake = world.next();
    // Of what is pending the lowest number comes first (signal(7)).
    BOOST_TEST(fake.tell("signal") == std::to_string(SIGHUP));
    BOOST_TEST(fake.tell("signal") == std::to_string(SIGTERM));
}

BOOST_AUTO_TEST_CASE(an_upgrade_executes_the_new_keeper_and_keeps_all) {
    const KeeperProgram program;
    KeeperWorld world(program.path());
    Fake first = at_work(world);
    const pid_t orphan = world.spawn(first, 2, 44);
    BOOST_TEST(file_run_by(world.pid) == number_of(program.path()));
    program.renew();
    BOOST_TEST(file_run_by(world.pid) != number_of(program.path()));
    first.tell("replace");
    first.order("exit 0");

    Fake second = world.next();
    BOOST_TEST(second.keeper == world.pid);
    BOOST_TEST(file_run_by(world.pid) == number_of(program.path()));
    BOOST_TEST(second.tell("receive") == "0 0 3");
    BOOST_TEST(second.tell("text 0") == "own");
    BOOST_TEST(second.tell("text 1") == "one");
    BOOST_TEST(comes_to_hold(world.pid, 3));
    ::kill(orphan, SIGUSR1);
    BOOST_TEST(eventually([&] { return is_zombie_with(orphan, 44 << 8); }));
    BOOST_TEST(world.said().empty());

    // Even a new mydockerd that does not come up ends nothing.
    second.order("die");
    BOOST_TEST(world.next().tell("receive") == "1 9 3");
}

BOOST_AUTO_TEST_CASE(a_keeper_that_cannot_execute_itself_goes_on) {
    const KeeperProgram program;
    KeeperWorld world(program.path());
    Fake first = at_work(world);
    fs::remove(program.path());
    first.tell("replace");
    first.order("exit 0");
    Fake second = world.next();
    BOOST_TEST(second.tell("receive") == "0 0 2");
    BOOST_TEST(second.tell("text 1") == "one");
    BOOST_TEST(comes_to_hold(world.pid, 2));
    BOOST_TEST(world.said() == "mydocker-keeper: cannot execute " + program.path().string() +
                                   " anew: No such file or directory, error 2; going on as it "
                                   "is\n");
    second.tell("retire 0");
    second.order("exit 0");
    BOOST_TEST(world.end() == 0);
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused_and_leaves_nothing_open) {
    KeeperWorld world;
    Fake first = world.next();
    first.tell("receive");
    first.tell("ready");
    first.tell("nonsense");
    const auto refusals = [&] {
        std::size_t count = 0;
        const std::string said = world.said();
        for (std::size_t at = 0; (at = said.find("refused a message", at)) != std::string::npos;
             ++at)
            ++count;
        return count;
    };
    BOOST_TEST(eventually([&] { return refusals() == 12; }), world.said());
    BOOST_TEST(comes_to_hold(world.pid, 1));
    first.tell("hold 1 one");
    first.order("die");
    Fake second = world.next();
    BOOST_TEST(second.tell("receive") == "1 9 2");
    BOOST_TEST(second.tell("text 1") == "one");
}

BOOST_AUTO_TEST_CASE(a_thousand_keys_take_little_memory) {
    KeeperWorld world;
    Fake first = world.next();
    first.tell("receive");
    first.tell("ready");
    const int empty = kib_of(world.pid);
    first.tell("hold_many 1000");
    BOOST_TEST(eventually([&] { return open_files(world.pid) > 1000; }));
    const int full = kib_of(world.pid);
    BOOST_TEST_MESSAGE("the keeper's PSS: " << empty << " KiB, with 1,000 keys " << full << " KiB");
    BOOST_TEST(empty > 0);
    BOOST_TEST(full < 100);
    first.order("die");
    BOOST_TEST(world.next().tell("receive") == "1 9 1001");
}

BOOST_AUTO_TEST_SUITE_END()
