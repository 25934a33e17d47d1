// The chaos test: containers start and end all the time, and meanwhile mydockerd is killed, at
// random and at every failpoint; so is its keeper, and both at once. Then everything is counted:
// every end on record once with its code, no start doubled, no log line missing, nothing left on
// the host. MYDOCKER_CHAOS_SECONDS (default 15) for each of its parts, MYDOCKER_CHAOS_SEED for
// another run.
#include <signal.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

using Clock = std::chrono::steady_clock;

constexpr int containers = 50;
constexpr int few = 4;     // kills at least
constexpr int codes = 90;  // attempt n of a container ends with 1 + n % codes

// Each start counts itself in a file of the host's, says whether another one still lives, and ends
// with a code that follows from its number.
constexpr auto work = R"(cd /c
exec 9> "$1.alive"
flock -n 9 || echo "$1" >> doubled
n=0; [ -f "$1" ] && read n < "$1"
n=$((n + 1)); echo $n > "$1.new"; mv "$1.new" "$1"
sleep 0.$((n * 7 % 10))
exit $((1 + n % 90))
)";
constexpr auto lines = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done";

struct Chaos {
    Chaos() : daemon(host(), {}, "mydockerd-failpoints") {}

    std::string host() {
        ::setenv("MYDOCKER_FAILPOINT", failpoint().c_str(), 1);
        std::string toml =
            "version = 1\n[daemon]\nmax_concurrent_starts = 64\n[container.lines]\ncommand = "
            "[\"/bin/sh\", \"-c\", " +
            toml_string(lines) + "]\nstop_grace_period = \"0s\"\nlogging.max_size = \"100m\"\n";
        for (int i = 0; i < containers; ++i)
            toml += "[container.c" + std::to_string(i) + "]\ncommand = [\"/bin/sh\", \"-c\", " +
                    toml_string(work) + ", \"sh\", \"c" + std::to_string(i) +
                    "\"]\nstop_grace_period = \"10s\"\nvolumes = [\"" + counts.path().string() +
                    ":/c\"]\n[container.c" + std::to_string(i) +
                    ".restart]\npolicy = \"always\"\ndelay = \"" + std::to_string(50 * (i % 4)) +
                    "ms\"\nmultiplier = 1.0\nprearm = " + (i % 3 == 0 ? "true" : "false") + "\n";
        return toml;
    }

    fs::path failpoint() const { return counts / "failpoint"; }

    void pause(int at_most_ms) {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(std::uniform_int_distribution<int>(0, at_most_ms)(random)));
    }

    // Of a process that may not be there just now.
    void kill(pid_t pid) {
        if (pid > 0 && ::kill(pid, SIGKILL) == 0) ++kills;
    }

    // For `time`; where all is slow for longer, until there are `enough`.
    bool goes_on(const std::function<bool()>& enough) const {
        const auto now = Clock::now();
        return now < begun + time || (!enough() && now < begun + 12 * time);
    }

    bool answers() const { return daemon.api("GET", "/v1/version", "", 2s).status == 200; }

    // Lets every container come to its end, so that the last code can be compared too.
    void settle() {
        BOOST_REQUIRE(eventually([&] { return answers(); }));
        fs::remove(failpoint());
        for (int i = 0; i < containers; ++i)
            daemon.api("POST", "/v1/containers/c" + std::to_string(i) + "/update",
                       R"({"restart": {"policy": "no"}})");
        BOOST_CHECK(eventually(
            [&] {
                for (int i = 0; i < containers; ++i) {
                    const std::string state = daemon.state("c" + std::to_string(i));
                    if (state != "failed" && state != "exited") return false;
                }
                return true;
            },
            60s));
        daemon.ctl({"stop", "-t", "0", "lines"});
    }

    // Of the ledger's file: what the API tells are the last 32.
    std::vector<json> records(const std::string& container) const {
        const std::string id = daemon.inspect(container).at("id");
        std::vector<json> all;
        for (const std::string& line :
             lines_of(read_file(daemon.directory() / "data/containers" / id / "attempts")))
            all.push_back(json::parse(line.substr(9)));
        return all;
    }

    // `unknown_allowed`: the keeper was killed, so somebody else may have reaped.
    void count(bool unknown_allowed) {
        int starts = 0, recorded = 0, lost = 0, doubled = 0, unknown = 0, interrupted = 0;
        for (int i = 0; i < containers; ++i) {
            const std::string name = "c" + std::to_string(i);
            const int ran = std::atoi(read_file(counts / name).c_str());
            starts += ran;
            std::set<int> next{1};  // which start the next record may be of
            std::uint64_t number = 0;
            for (const json& record : records(name)) {
                if (record.at("number") <= number) ++doubled;
                number = record.at("number");
                if (!record.at("observed").at("executed").get<bool>()) {
                    ++interrupted;
                    continue;
                }
                const std::string kind = record.at("ending").at("kind");
                ++recorded;
                std::set<int> after;
                if (kind == "unknown") {  // whether it came to count itself, too
                    ++unknown;
                    after = next;
                    for (const int start : next) after.insert(start + 1);
                }
                for (const int start : next)
                    if (kind == "code" && record.at("ending").at("number") == 1 + start % codes)
                        after.insert(start + 1);
                if (after.empty()) {
                    BOOST_ERROR(name << ": start " << *next.begin() << " is on record as "
                                     << record.at("ending").dump());
                    ++lost;
                    break;
                }
                next = after;
            }
            if (!next.contains(ran + 1)) {
                BOOST_ERROR(name << ": " << ran << " starts, on record are " << *next.rbegin() - 1);
                ++lost;
            }
        }
        const auto twice = lines_of(read_file(counts / "doubled"));
        doubled += static_cast<int>(twice.size());
        BOOST_TEST_MESSAGE("chaos: " << kills << " kills, " << starts << " starts, " << recorded
                                     << " codes recorded, " << unknown << " unknown, " << lost
                                     << " lost, " << doubled << " doubled, " << interrupted
                                     << " begun and never released");
        BOOST_CHECK_EQUAL(lost, 0);
        BOOST_CHECK_EQUAL(doubled, 0);
        BOOST_CHECK(unknown == 0 || unknown_allowed);
        BOOST_CHECK_GT(starts, containers);
        BOOST_CHECK_GE(kills, few);
    }

    void check_lines() {
        const std::string id = daemon.inspect("lines").at("id");
        int last = 0, repeated = 0, missing = 0, torn = 0;
        const fs::path log = daemon.directory() / "data/containers" / id / "log/1.log";
        for (const std::string& line : lines_of(read_file(log))) {
            // "2026-01-31T12:00:00.123456789Z stdout F 17"
            const std::size_t at = line.find(" stdout F ");
            if (at != 30) {
                ++torn;
                continue;
            }
            const int number = std::atoi(line.c_str() + at + 10);
            if (number > last + 1) ++missing;
            if (number <= last) ++repeated;
            last = number;
        }
        BOOST_TEST_MESSAGE("chaos: " << last << " log lines, " << missing << " gaps, " << torn
                                     << " torn, " << repeated << " repeated");
        BOOST_CHECK_GT(last, 20);
        BOOST_CHECK_EQUAL(missing, 0);
        BOOST_CHECK_EQUAL(torn, 0);
        BOOST_CHECK_LE(repeated, kills);  // a chunk each
    }

    void check_leaks() {
        BOOST_CHECK_EQUAL(host_mounts(), mounts);
        BOOST_CHECK(eventually([&] { return cgroups_below(cgroup).empty(); }, 10s));
        // The keeper's only child is mydockerd, whose only child is mydocker-init: no zombie.
        BOOST_CHECK(eventually([&] { return children_of(daemon.keeper()).size() == 1; }, 10s));
        BOOST_CHECK_EQUAL(children_of(daemon.pid()).size(), 1U);
        const auto held = std::distance(
            fs::directory_iterator("/proc/" + std::to_string(daemon.keeper()) + "/fd"), {});
        BOOST_CHECK_LE(held, 10);
    }

    Directory counts;
    Daemon daemon;
    const std::string mounts = host_mounts();
    const fs::path cgroup = daemon.cgroup();
    std::mt19937 random{static_cast<unsigned>(number_from_environment("MYDOCKER_CHAOS_SEED", 1))};
    int kills = 0;
    const Clock::time_point begun = Clock::now();
    const std::chrono::seconds time{number_from_environment("MYDOCKER_CHAOS_SECONDS", 15)};
};

constexpr const char* failpoints[] = {
    "start.begun",      "start.recorded", "start.boxed",    "start.asked", "start.cloned",
    "start.held",       "start.released", "start.executed", "start.done",  "end.seen",
    "end.judged",       "end.recorded",   "end.buried",     "end.waiting", "snapshot.written",
    "snapshot.renamed", "store.written",  "store.renamed",  "log.copied",  "log.written",
    "adopt.begun",      "adopt.done"};  // pause_test.cpp has those of a pause

}  // namespace

BOOST_AUTO_TEST_SUITE(chaos)

BOOST_AUTO_TEST_CASE(mydockerd_killed_at_random) {
    Chaos chaos;
    // Every other one lives for long enough to begin the keeper's back-off anew.
    while (chaos.goes_on([&] { return chaos.kills >= few; })) {
        chaos.pause(500);
        chaos.kill(chaos.daemon.pid());
        eventually([&] { return chaos.answers(); });
        std::this_thread::sleep_for(1s);
        chaos.pause(500);
        chaos.kill(chaos.daemon.pid());
    }
    chaos.settle();
    chaos.count(false);
    chaos.check_lines();
    chaos.check_leaks();
}

BOOST_AUTO_TEST_CASE(mydockerd_killed_at_every_failpoint) {
    Chaos chaos;
    for (const char* name : failpoints) {
        std::this_thread::sleep_for(1100ms);  // what lived so long begins the back-off anew
        arm(chaos.failpoint(), name);
        const bool adopts = std::string(name).starts_with("adopt");
        if (adopts) chaos.kill(chaos.daemon.pid());
        // What a command changes is stored before it is answered.
        if (std::string(name).starts_with("store"))
            chaos.daemon.api(
                "POST", "/v1/containers/lines/update",
                R"({"restart": {"delay": ")" + std::to_string(chaos.kills + 1) + R"(s"}})");
        BOOST_CHECK_MESSAGE(eventually([&] { return !fs::exists(chaos.failpoint()); }),
                            name << " was never passed");
        BOOST_CHECK(eventually([&] { return chaos.answers(); }));
        ++chaos.kills;
    }
    chaos.settle();
    chaos.count(false);
    chaos.check_lines();
    chaos.check_leaks();
}

// The one at work, the one that is to come, or neither.
BOOST_AUTO_TEST_CASE(upgraded_and_killed_at_random) {
    Chaos chaos;
    int upgrades = 0;
    while (chaos.goes_on([&] { return chaos.kills >= few && upgrades > 0; })) {
        BOOST_REQUIRE(eventually([&] { return chaos.answers(); }));
        const pid_t before = chaos.daemon.pid();
        std::thread client([&] { chaos.daemon.api("POST", "/v1/upgrade", "", 20s); });
        chaos.pause(200);
        const std::vector<pid_t> some = chaos.daemon.pids();
        // Not always: and there may be no next one yet.
        const std::size_t chosen = chaos.random() % 4 % (2 * std::max<std::size_t>(some.size(), 1));
        if (chosen < some.size()) chaos.kill(some[chosen]);
        client.join();
        BOOST_REQUIRE(eventually([&] { return chaos.answers(); }));
        if (chosen >= some.size() && chaos.daemon.pid() != before) ++upgrades;
        chaos.pause(1500);
    }
    chaos.settle();
    chaos.count(false);
    chaos.check_lines();
    chaos.check_leaks();
    BOOST_TEST(upgrades > 0);
}

// mydockerd becomes the next keeper, also one that had only just begun.
BOOST_AUTO_TEST_CASE(keeper_killed_at_random) {
    Chaos chaos;
    while (chaos.goes_on([&] { return chaos.kills >= few; })) {
        chaos.pause(1500);
        BOOST_REQUIRE(eventually([&] { return chaos.daemon.pid() > 0; }));
        const pid_t heir = chaos.daemon.pid();
        chaos.kill(chaos.daemon.keeper());
        chaos.daemon.follow_keeper(heir);
        BOOST_REQUIRE_MESSAGE(eventually([&] { return chaos.answers(); }), chaos.daemon.log());
    }
    chaos.settle();
    chaos.count(true);
    chaos.check_leaks();
}

BOOST_AUTO_TEST_CASE(keeper_and_mydockerd_killed_at_once) {
    Chaos chaos;
    for (; chaos.goes_on([&] { return chaos.kills >= few; }); ++chaos.kills) {
        chaos.pause(1500);
        chaos.daemon.vanish();
        chaos.daemon.start();
    }
    chaos.settle();
    chaos.count(true);
    chaos.check_leaks();
}

BOOST_AUTO_TEST_SUITE_END()
