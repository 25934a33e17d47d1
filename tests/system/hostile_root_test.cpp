// A root file system made by an enemy: whatever its symlinks say, nothing of the host is mounted
// over, written to or shown.
#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/workload.hpp"

using namespace mydocker::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

// A root, and beside it what must stay untouched.
struct Trap {
    Trap() {
        char pattern[] = "/run/mydocker-trap-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(pattern) != nullptr);
        directory = pattern;
        root = directory / "root";
        outside = directory / "outside";
        make_rootfs(root);
        fs::create_directory(outside);
        std::ofstream(outside / "secret") << "secret\n";
        fs::create_directory(directory / "volume");
        std::ofstream(directory / "volume/mine") << "mine\n";
    }
    ~Trap() {
        std::error_code error;
        fs::remove_all(directory, error);
    }
    Trap(const Trap&) = delete;
    Trap& operator=(const Trap&) = delete;

    std::string volume() const { return (directory / "volume").string() + ":/data"; }
    Result run(const Daemon& daemon, const std::string& script, const json& volumes,
               const std::string& user = "") const {
        json keys = {{"rootfs", root}, {"volumes", {usr_volume}}, {"user", user}};
        for (const json& one : volumes) keys["volumes"].push_back(one);
        return run_script(daemon, script, keys);
    }
    // Nothing was made in, or taken from, the place outside.
    void check_outside() const {
        BOOST_CHECK_EQUAL(read_file(outside / "secret"), "secret\n");
        BOOST_CHECK_EQUAL(std::distance(fs::directory_iterator(outside), fs::directory_iterator()),
                          1);
    }

    fs::path directory;
    fs::path root;
    fs::path outside;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile_root)

BOOST_AUTO_TEST_CASE(kernel_file_systems_are_not_mounted_through_symlinks) {
    const Daemon daemon;
    const std::string mounts = host_mounts();
    const auto listing = [] {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator("/etc")) names.push_back(entry.path());
        return names;
    };
    const auto host_etc = listing();
    const std::pair<const char*, const char*> places[] = {
        {"proc", "proc"}, {"dev", "tmpfs"}, {"sys", "sysfs"}};
    for (const auto& [name, type] : places) {
        const Trap trap;
        for (const fs::path& content :
             {fs::path("/etc"), fs::path("../../../../../..") / trap.outside.relative_path(),
              trap.outside}) {
            fs::remove(trap.root / name);
            fs::create_symlink(content, trap.root / name);
            const Result result = trap.run(daemon, "echo ran", {});
            BOOST_CHECK_EQUAL(result.status, 125);
            BOOST_CHECK_EQUAL(result.out, "");
            BOOST_CHECK_EQUAL(result.err, std::string("web: mount ") + type + " on /" + name +
                                              ": Too many levels of symbolic links");
            trap.check_outside();
            BOOST_CHECK(fs::is_empty(trap.root / "etc"));
        }
    }
    BOOST_CHECK(listing() == host_etc);
    BOOST_CHECK_EQUAL(host_mounts(), mounts);
}

BOOST_AUTO_TEST_CASE(a_volumes_target_stays_inside_wherever_it_leads) {
    const Daemon daemon;
    const Trap trap;
    const std::string mounts = host_mounts();
    // As seen from the host it leads out of the root; inside, into a place of the root.
    const fs::path inside = trap.root / trap.outside.relative_path();
    fs::create_directories(inside);
    fs::create_symlink(fs::path("../../../../../..") / trap.outside.relative_path(),
                       trap.root / "data");
    const Result result = trap.run(
        daemon, "ls /data " + trap.outside.string() + "; echo x > /data/new", {trap.volume()});
    BOOST_CHECK_EQUAL(result.out, "/data:\nmine\n\n" + trap.outside.string() + ":\nmine\n");
    BOOST_CHECK_EQUAL(result.err, "");
    trap.check_outside();
    BOOST_CHECK(fs::exists(trap.directory / "volume/new"));
    BOOST_CHECK_EQUAL(host_mounts(), mounts);
}

BOOST_AUTO_TEST_CASE(a_target_that_leads_nowhere_is_an_error_with_its_path) {
    const Daemon daemon;
    const Trap trap;
    fs::create_symlink("/nowhere/at/all", trap.root / "data");
    const Result result = trap.run(daemon, "echo ran", {trap.volume()});
    BOOST_CHECK_EQUAL(result.status, 125);
    BOOST_CHECK_EQUAL(result.err, "web: mount a volume on /data: No such file or directory");
    BOOST_CHECK(!fs::exists("/nowhere"));
}

// Magic links lead where no name does: to another process's root or descriptors.
BOOST_AUTO_TEST_CASE(a_target_through_a_magic_link_is_refused) {
    const Daemon daemon;
    const Trap trap;
    for (const char* content : {"/proc/self/fd/1", "/proc/1/root/etc", "/proc/self/cwd"}) {
        fs::remove(trap.root / "data");
        fs::create_symlink(content, trap.root / "data");
        const Result result = trap.run(daemon, "echo ran", {trap.volume()});
        BOOST_CHECK_EQUAL(result.status, 125);
        BOOST_CHECK_MESSAGE(result.err.starts_with("web: mount a volume on /data: "), result.err);
        BOOST_CHECK_EQUAL(result.out, "");
    }
}

BOOST_AUTO_TEST_CASE(users_are_not_looked_up_outside) {
    const Daemon daemon;
    const Trap trap;
    std::ofstream(trap.outside / "secret") << "admin:x:1234:1234::/:/bin/sh\n";
    for (const fs::path& content :
         {trap.outside / "secret", fs::path("/proc/self/root") / trap.outside / "secret",
          fs::path("../../../../../..") / (trap.outside / "secret").relative_path()}) {
        fs::remove(trap.root / "etc/passwd");
        fs::create_symlink(content, trap.root / "etc/passwd");
        const Result result = trap.run(daemon, "id -u", {}, "admin");
        BOOST_CHECK_EQUAL(result.status, 125);
        BOOST_CHECK_MESSAGE(result.err.find("find user \"admin\"") != std::string::npos,
                            result.err);
    }
    // Nor does a pipe or an endless device in its place hold mydockerd up.
    fs::remove(trap.root / "etc/passwd");
    BOOST_REQUIRE_EQUAL(mydocker::tests::run({"mkfifo", trap.root / "etc/passwd"}).status, 0);
    BOOST_CHECK_EQUAL(trap.run(daemon, "true", {}, "admin").status, 125);
    fs::remove(trap.root / "etc/passwd");
    BOOST_REQUIRE_EQUAL(
        mydocker::tests::run({"mknod", trap.root / "etc/passwd", "c", "1", "5"}).status, 0);
    BOOST_CHECK_EQUAL(trap.run(daemon, "true", {}, "admin").status, 125);
}

// A plain root of this kind runs: the traps above fail for their own reasons.
BOOST_AUTO_TEST_CASE(without_a_trap_the_root_works_and_keeps_its_own_files) {
    const Daemon daemon;
    const Trap trap;
    const Result result =
        trap.run(daemon, "cat /data/mine; echo $(ls /); echo kept > /etc/kept", {trap.volume()});
    BOOST_CHECK_EQUAL(result.status, 0);
    const std::vector<std::string> lines = lines_of(result.out);
    BOOST_REQUIRE_EQUAL(lines.size(), 2U);
    BOOST_CHECK_EQUAL(lines[0], "mine");
    BOOST_CHECK_EQUAL(read_file(trap.root / "etc/kept"), "kept\n");
    // Without a trap nothing of the host's root is in it.
    BOOST_CHECK(lines[1].find("home") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
