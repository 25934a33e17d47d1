// Shell completion as shells do it: bash always, fish where it is installed. Names of containers
// come from the daemon that runs.
#include <boost/test/unit_test.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;

namespace {

// What this script of a shell prints, our program being in its PATH and the daemon the usual one.
std::string printed(const std::string& shell, const Daemon& daemon, const std::string& script) {
    const Directory directory;
    const auto file = directory / "script";
    write_file(file, script);
    const Result result = run({"env", "MYDOCKER_HOST=" + daemon.socket().string(),
                               "PATH=" + program("").string() + ":/usr/sbin:/usr/bin:/sbin:/bin",
                               "HOME=" + directory.path().string(), shell, file.string()});
    BOOST_TEST(result.err == "");
    return result.out;
}

bool is_installed(const std::string& shell) {
    return run({"sh", "-c", "command -v " + shell}).status == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(completion)

BOOST_AUTO_TEST_CASE(bash_completes_verbs_options_and_containers) {
    const Daemon daemon;
    BOOST_REQUIRE_EQUAL(daemon.ctl({"run", "-d", "--name", "web", "sleep", "1000"}).status, 0);
    BOOST_REQUIRE_EQUAL(daemon.ctl({"create", "--name", "worker", "true"}).status, 0);
    const std::string script = R"(source <(mydocker-ctl completion bash)
words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mydocker_ctl; echo "${COMPREPLY[@]}"; }
words mydocker-ctl inspect ""
words mydocker-ctl exec -it w
words mydocker-ctl start w
words mydocker-ctl run --cpuset-
words mydocker-ctl ps --format = j
words mydocker-ctl run --rootfs /us
words mydocker-ctl run --rm /usr/bin/sha256s
words mydocker-ctl -H /nowhere stop ""
)";
    BOOST_CHECK_EQUAL(printed("bash", daemon, script),
                      "web worker\nweb\nworker\n--cpuset-cpus\njson\n/usr\n/usr/bin/sha256sum\n\n");
}

BOOST_AUTO_TEST_CASE(fish_completes_as_well) {
    if (!is_installed("fish")) {
        BOOST_TEST_MESSAGE("there is no fish here");
        return;
    }
    const Daemon daemon;
    BOOST_REQUIRE_EQUAL(daemon.ctl({"run", "-d", "--name", "web", "sleep", "1000"}).status, 0);
    BOOST_CHECK_EQUAL(printed("fish", daemon, R"(mydocker-ctl completion fish | source
complete -C 'mydocker-ctl stop w'
complete -C 'mydocker-ctl ps --no-tr'
complete -C 'mydocker-ctl run --rootfs /us'
)"),
                      "web\trunning\n--no-trunc\tdo not cut long values short\n/usr/\tDirectory\n");
}

BOOST_AUTO_TEST_SUITE_END()
