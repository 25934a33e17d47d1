// The power fails: /run is empty afterwards, the boot is another one, and of the files that nobody
// had synced any prefix is left. mydockerd starts, and every command that was answered holds.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// After vanish(): what lived is gone with the power.
void lose_power(const Daemon& daemon, const fs::path& cgroup) {
    for (const std::string& each : cgroups_below(cgroup))
        write_file(cgroup / each / "cgroup.kill", "1");
    BOOST_REQUIRE(eventually([&] {
        for (const std::string& each : cgroups_below(cgroup))
            if (!contains(read_file(cgroup / each / "cgroup.events"), "populated 0")) return false;
        return true;
    }));
    for (const auto& entry : fs::directory_iterator(daemon.directory() / "run"))
        fs::remove_all(entry.path());
}

std::string limit_of(const json& inspected, const std::string& file) {
    for (const json& write : inspected.at("limits"))
        if (write.at("file") == file) return write.at("value");
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(power_loss)

BOOST_AUTO_TEST_CASE(what_was_acknowledged_holds_and_it_always_starts) {
    Daemon daemon(
        "version = 1\n[daemon]\nlimits = \"best-effort\"\n"
        "[container.often]\nautostart = \"unless-stopped\"\ncommand = [\"sh\", \"-c\", \"exit "
        "3\"]\n"
        "[container.often.restart]\npolicy = \"always\"\ndelay = \"20ms\"\nmultiplier = 1.0\n"
        "[container.steady]\ncommand = [\"sleep\", \"1000\"]\nstop_signal = \"KILL\"\n");
    const fs::path cgroup = daemon.cgroup();
    BOOST_REQUIRE(daemon.reaches("steady", "running"));
    BOOST_REQUIRE_EQUAL(daemon.ctl({"create", "--name", "mine", "sleep", "1000"}).status, 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"create", "--name", "gone", "sleep", "1000"}).status, 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"rm", "gone"}).status, 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"update", "-m", "64m", "mine"}).status, 0);
    BOOST_REQUIRE(eventually([&] { return daemon.inspect("often").at("attempt") > 3; }));
    BOOST_REQUIRE_EQUAL(daemon.ctl({"stop", "often"}).status, 0);
    const json last = daemon.inspect("often").at("attempts").back();
    const std::string id = daemon.inspect("often").at("id");
    const std::string mine = daemon.inspect("mine").at("id");
    const fs::path attempts = daemon.directory() / "data/containers" / id / "attempts";
    const std::string whole = read_file(attempts);
    BOOST_REQUIRE_GT(whole.size(), 200U);
    const std::string stored =
        read_file(daemon.directory() / "data/containers" / mine / "container.json");
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1, whole.size()}) {
        daemon.vanish();
        lose_power(daemon, cgroup);
        write_file(attempts, whole.substr(0, size));
        write_file(daemon.directory() / "data/containers" / mine / "container.json.new",
                   stored.substr(0, stored.size() * size / whole.size()));
        daemon.start();
        BOOST_TEST_CONTEXT(size << " bytes of its history are left") {
            BOOST_CHECK_EQUAL(daemon.state("mine"), "created");
            BOOST_CHECK(limit_of(daemon.inspect("mine"), "memory.max") == "67108864");
            BOOST_CHECK_EQUAL(daemon.state("gone"), "");
            BOOST_CHECK(daemon.reaches("steady", "running"));
            const std::string often = daemon.state("often");
            BOOST_CHECK_MESSAGE(often != "running" && often != "waiting" && often != "starting",
                                "it was stopped by hand and is " << often);
            const auto records = daemon.inspect("often").at("attempts");
            BOOST_CHECK_LE(records.size(), lines_of(whole).size());
            if (size == whole.size()) BOOST_CHECK_EQUAL(records.back(), last);
        }
    }
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "often"}).status, 0);
    BOOST_CHECK(eventually([&] { return !daemon.inspect("often").at("attempts").empty(); }));
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "often"}).status, 0);
}

BOOST_AUTO_TEST_SUITE_END()
