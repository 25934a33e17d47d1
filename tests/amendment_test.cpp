// What `update` leaves beside the host file: how it is made, kept, and given up.
#include "supervisor/amendment.hpp"

#include <boost/test/unit_test.hpp>

using namespace mydocker;
using namespace mydocker::supervisor;

namespace {

config::Container container(const std::string& keys) {
    const std::string comma = keys.empty() ? "" : ",";
    auto loaded =
        config::load_container_json("{\"command\":[\"true\"]" + comma + keys + "}", "web");
    BOOST_REQUIRE(loaded.ok());
    return loaded.container;
}

config::Container changed(const config::Container& from, const std::string& patch) {
    auto loaded = amended(from, patch);
    BOOST_REQUIRE(loaded.ok());
    return loaded.container;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(amendment)

BOOST_AUTO_TEST_CASE(a_patch_changes_what_it_names) {
    const auto before =
        container(R"("mem_limit":"50m","cpus":2,"restart":{"policy":"always","delay":"7s"})");
    const auto after = changed(before, R"({"mem_limit":"64m","restart":{"policy":"no"}})");
    BOOST_TEST(after.limits.mem_limit.value() == 64u << 20);
    BOOST_TEST(after.limits.cpus.value() == 2);
    BOOST_TEST((after.restart.policy == config::Policy::no));
    BOOST_TEST((after.restart.delay == std::chrono::seconds{7}));
    BOOST_TEST(!changed(before, R"({"mem_limit":null})").limits.mem_limit);
    BOOST_TEST((changed(before, R"({"restart":{"delay":null}})").restart.delay ==
                config::Restart{}.delay));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_told) {
    const auto before = container(R"("mem_limit":"50m")");
    for (const char* patch :
         {R"({"mem_limit":"lots"})", R"({"memory":"50m"})", R"({"memswap_limit":"10m"})",
          R"({"restart":7})", R"({"restart":{"delai":"1s"}})", R"({"command":null})"})
        BOOST_TEST(!amended(before, patch).ok(), patch);
}

BOOST_AUTO_TEST_CASE(an_amendment_is_the_way_from_the_file_to_what_is_wanted) {
    const auto file = container(R"("mem_limit":"50m","cpus":2,"cpuset":"0")");
    const auto wanted =
        changed(file, R"({"mem_limit":"64m","cpus":null,"pids_limit":9,"restart":{"delay":"3s"}})");
    std::string text = amendment_between(file, wanted);
    const std::vector<std::string> golden = {"cpus", "mem_limit", "pids_limit", "restart.delay"};
    BOOST_TEST(keys_of(text) == golden, boost::test_tools::per_element());
    BOOST_TEST((in_force(file, text) == wanted));
    BOOST_TEST(amendment_between(file, file).empty());
    BOOST_TEST(amendment_between(file, changed(wanted, R"({"mem_limit":"50m","cpus":2,
        "pids_limit":null,"restart":{"delay":null}})"))
                   .empty());
}

BOOST_AUTO_TEST_CASE(the_files_word_goes_where_it_changed) {
    const auto file = container(R"("mem_limit":"50m","cpus":2)");
    const auto wanted =
        changed(file, R"({"mem_limit":"64m","cpus":1,"restart":{"delay":"3s","attempts":4}})");
    const std::string text = amendment_between(file, wanted);
    const auto new_file = container(
        R"("mem_limit":"60m","cpus":2,"hostname":"x","restart":{"policy":"no","delay":"9s"})");
    std::string left = rebased(text, file, new_file);
    const std::vector<std::string> golden = {"cpus", "restart.attempts"};
    BOOST_TEST(keys_of(left) == golden, boost::test_tools::per_element());
    const auto result = in_force(new_file, left);
    BOOST_TEST(result.limits.mem_limit.value() == 60u << 20);
    BOOST_TEST(result.limits.cpus.value() == 1);
    BOOST_TEST((result.restart.delay == std::chrono::seconds{9}));
    BOOST_TEST(result.restart.attempts == 4u);
    BOOST_TEST(rebased(left, new_file, container(R"("cpus":3,"restart":{"attempts":1})")).empty());
    BOOST_TEST(rebased("", file, new_file).empty());
    BOOST_TEST(keys_of("").empty());
}

// Together they would make no container: then the file's word goes alone.
BOOST_AUTO_TEST_CASE(what_no_longer_goes_with_the_file_is_dropped) {
    const auto file = container(R"("mem_limit":"50m")");
    std::string text = amendment_between(file, changed(file, R"({"memswap_limit":"60m"})"));
    const auto new_file = container(R"("mem_limit":"100m")");
    text = rebased(text, file, new_file);
    BOOST_TEST(!text.empty());
    BOOST_TEST((in_force(new_file, text) == new_file));
    BOOST_TEST(text.empty());
}

BOOST_AUTO_TEST_SUITE_END()
