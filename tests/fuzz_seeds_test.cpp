// Every seed of the fuzzers, and every input that has ever broken what they try, once more.
#include <boost/test/unit_test.hpp>

#include "tests/fuzz/targets.hpp"
#include "tests/scratch.hpp"

using namespace mydocker;
namespace fs = std::filesystem;

namespace {

const fs::path seeds = fs::path(MYDOCKER_SOURCE_DIR) / "tests/fuzz/seeds";

void try_all(const fs::path& directory, void (*target)(std::string_view)) {
    std::size_t tried = 0;
    for (const auto& entry : fs::directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        BOOST_TEST_CONTEXT(entry.path())
        BOOST_CHECK_NO_THROW(target(tests::contents(entry.path())));
        ++tried;
    }
    BOOST_TEST(tried > 0U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fuzz_seeds)

BOOST_AUTO_TEST_CASE(host_files) {
    try_all(seeds / "host_file", fuzz::host_file);
    try_all(MYDOCKER_HOSTFILES, fuzz::host_file);
}
BOOST_AUTO_TEST_CASE(containers) { try_all(seeds / "container_json", fuzz::container_json); }
BOOST_AUTO_TEST_CASE(requests) { try_all(seeds / "request", fuzz::request); }
BOOST_AUTO_TEST_CASE(states) { try_all(seeds / "state", fuzz::state); }
BOOST_AUTO_TEST_CASE(attempts) { try_all(seeds / "attempt", fuzz::attempt); }
BOOST_AUTO_TEST_CASE(snapshots) { try_all(seeds / "snapshot", fuzz::snapshot); }
BOOST_AUTO_TEST_CASE(keeper_messages) { try_all(seeds / "keeper_message", fuzz::keeper_message); }

BOOST_AUTO_TEST_CASE(a_broken_promise_is_seen) {
    BOOST_CHECK_THROW(try_all(seeds / "nowhere", fuzz::state), fs::filesystem_error);
}

BOOST_AUTO_TEST_SUITE_END()
