// What a successor of mydockerd reads of each container: exactly what was saved, of this boot only.
#include "supervisor/snapshot.hpp"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "supervisor/snapshots.hpp"
#include "tests/ids.hpp"
#include "tests/scratch.hpp"
#include "tests/stored_state.hpp"

using namespace mydocker::supervisor;
using namespace mydocker::tests;
namespace fs = std::filesystem;

namespace {

const std::string this_boot = "6b3f1c1e-8f0e-4d43-9f0c-2b8f6c4c6f10";

Snapshot full_snapshot(const std::string& id) {
    Snapshot snapshot;
    snapshot.id = id;
    snapshot.wish = Wish::bounce;
    snapshot.failed = true;
    snapshot.reason = "exited with code 3; \"ä\"";
    snapshot.attempts = UINT64_MAX;
    snapshot.restarts = UINT64_MAX - 1;
    snapshot.history = {7, {Time(1h), Time(2h + 1ns)}};
    snapshot.next_start = Time(3h + 1ns);
    LivingAttempt living;
    living.attempt.number = 5;
    living.attempt.pid = 1234;
    living.attempt.began = wall(-1);  // a clock that was never set
    living.attempt.observed.executed = true;
    living.attempt.oom_baseline = 4;
    living.attempt.log = {2, 4096};
    living.execs.push_back({3, {"sh", "-c", "sleep 1"}, "1000:1000", true, false});
    snapshot.stop_by = Time(4h + 1ns);
    snapshot.may_be_frozen = true;
    snapshot.leaving = "{\"command\":[\"true\"]}";
    snapshot.unrecorded = {{full_attempt(4), {2, {}}}};
    snapshot.living = living;
    return snapshot;
}

Snapshot empty_snapshot(const std::string& id) {
    Snapshot snapshot;
    snapshot.id = id;
    return snapshot;
}

bool same(const Snapshot& a, const Snapshot& b) {
    if (a.living.has_value() != b.living.has_value()) return false;
    if (a.living && !(mydocker::tests::same(a.living->attempt, b.living->attempt) &&
                      a.living->execs == b.living->execs))
        return false;
    if (a.unrecorded.size() != b.unrecorded.size()) return false;
    for (std::size_t i = 0; i < a.unrecorded.size(); ++i)
        if (!mydocker::tests::same(a.unrecorded[i].attempt, b.unrecorded[i].attempt) ||
            a.unrecorded[i].history != b.unrecorded[i].history)
            return false;
    return a.id == b.id && a.wish == b.wish && a.failed == b.failed && a.reason == b.reason &&
           a.attempts == b.attempts && a.restarts == b.restarts && a.history == b.history &&
           a.next_start == b.next_start && a.stop_by == b.stop_by &&
           a.may_be_frozen == b.may_be_frozen && a.leaving == b.leaving;
}

std::map<std::string, Snapshot> load(const Snapshots& snapshots) {
    std::vector<std::string> problems;
    auto loaded = snapshots.load(problems);
    for (const std::string& problem : problems) BOOST_ERROR(problem);
    return loaded;
}

std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory))
        names.insert(entry.path().filename());
    return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshot)

BOOST_AUTO_TEST_CASE(what_is_saved_is_loaded) {
    const Scratch scratch;
    const Snapshots snapshots(scratch / "run", this_boot);
    BOOST_TEST(load(snapshots).empty());
    snapshots.save(full_snapshot(first_id));
    snapshots.save(empty_snapshot(second_id));
    const auto loaded = load(Snapshots(scratch / "run", this_boot));
    BOOST_REQUIRE(loaded.size() == 2U);
    BOOST_TEST(same(loaded.at(first_id), full_snapshot(first_id)));
    BOOST_TEST(same(loaded.at(second_id), empty_snapshot(second_id)));
    struct stat info {};
    BOOST_REQUIRE(::stat((scratch / "run/containers").c_str(), &info) == 0);
    BOOST_TEST((info.st_mode & 07777) == 0700U);
    const fs::path file = scratch / "run" / "containers" / (first_id + ".json");
    BOOST_REQUIRE(::stat(file.c_str(), &info) == 0);
    BOOST_TEST((info.st_mode & 07777) == 0600U);
}

BOOST_AUTO_TEST_CASE(every_wish_is_read_back) {
    for (const Wish wish : {Wish::up, Wish::down, Wish::bounce}) {
        Snapshot snapshot = empty_snapshot(first_id);
        snapshot.wish = wish;
        BOOST_CHECK(decode_snapshot(encode(snapshot, this_boot), this_boot)->wish == wish);
    }
}

BOOST_AUTO_TEST_CASE(saving_again_replaces_and_forgetting_removes) {
    const Scratch scratch;
    const Snapshots snapshots(scratch.path(), this_boot);
    // What an earlier mydockerd left of a write that it could not finish.
    write_file(scratch / "containers" / (first_id + ".json.new"), std::string(9000, 'x'));
    snapshots.save(full_snapshot(first_id));
    snapshots.save(empty_snapshot(first_id));
    BOOST_TEST(same(load(snapshots).at(first_id), empty_snapshot(first_id)));
    BOOST_CHECK(names_in(scratch / "containers") == std::set<std::string>{first_id + ".json"});
    snapshots.forget(first_id);
    snapshots.forget(first_id);  // again: harmless
    BOOST_TEST(names_in(scratch / "containers").empty());
}

BOOST_AUTO_TEST_CASE(a_reboot_voids) {
    const Scratch scratch;
    Snapshots(scratch.path(), "the boot before").save(full_snapshot(first_id));
    const Snapshots snapshots(scratch.path(), this_boot);
    snapshots.save(full_snapshot(second_id));
    write_file(scratch / "containers" / (first_id + ".json.new"), "{\"ver");
    const auto loaded = load(snapshots);
    BOOST_TEST(loaded.size() == 1U);
    BOOST_TEST(loaded.contains(second_id));
    BOOST_CHECK(names_in(scratch / "containers") == std::set<std::string>{second_id + ".json"});
}

// Every prefix of a good file, and what is well formed but wrong.
BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_set_aside_and_told) {
    const Scratch scratch;
    const Snapshots snapshots(scratch.path(), this_boot);
    snapshots.save(full_snapshot(second_id));
    const fs::path path = scratch / "containers" / (first_id + ".json");
    const std::string good = encode(full_snapshot(first_id), this_boot);
    std::vector<std::string> broken = {"[]",
                                       "null",
                                       "{}",
                                       "\0\0\0",
                                       std::string(300 << 10, ' '),
                                       encode(full_snapshot(second_id), this_boot)};
    for (std::size_t size = 0; size + 1 < good.size(); ++size)
        broken.push_back(good.substr(0, size));
    for (const char* key : {"version", "boot_id", "id", "wish", "failed", "reason", "attempts",
                            "restarts", "history"}) {
        nlohmann::json object = nlohmann::json::parse(good);
        object[key] = nlohmann::json::array();
        broken.push_back(object.dump());
        object.erase(key);
        broken.push_back(object.dump());
    }
    for (const std::string& text : broken) {
        write_file(path, text);
        std::vector<std::string> problems;
        const auto loaded = snapshots.load(problems);
        BOOST_REQUIRE_MESSAGE(loaded.size() == 1U && loaded.contains(second_id), text);
        BOOST_REQUIRE(problems.size() == 1U);
        BOOST_REQUIRE(problems[0].find(path.string() + ": ") == 0U);
        BOOST_REQUIRE(problems[0].find(first_id + ".json.corrupt") != std::string::npos);
        BOOST_REQUIRE(contents(path.string() + ".corrupt") == text);
        BOOST_REQUIRE(load(snapshots).size() == 1U);  // told only once
    }
    snapshots.forget(first_id);
    BOOST_CHECK(names_in(scratch / "containers") == std::set<std::string>{second_id + ".json"});
}

BOOST_AUTO_TEST_CASE(one_that_does_not_say_may_be_frozen) {
    auto object = nlohmann::json::parse(encode(empty_snapshot(first_id), this_boot));
    BOOST_TEST(!decode_snapshot(object.dump(), this_boot)->may_be_frozen);
    object.erase("may_be_frozen");
    BOOST_TEST(decode_snapshot(object.dump(), this_boot)->may_be_frozen);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused) {
    const nlohmann::json good = nlohmann::json::parse(encode(full_snapshot(first_id), this_boot));
    const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
        {"/wish", {"\"\"", "\"?\"", "\"Up\"", "0"}},
        {"/attempts", {"-1", "1e27", "18446744073709551616"}},
        {"/restarts", {"0.5"}},
        {"/history", {"[]"}},
        {"/next_start_ns", {"-1", "1e27", "9223372036854775807", "null"}},
        {"/living", {"null", "{}"}},
        {"/living/attempt", {"{}"}},
        {"/living/attempt/began_ns", {"1e27"}},
        {"/living/execs", {"{}", "[1]", "[{}]"}},
        {"/stop_by_ns", {"\"soon\""}},
        {"/may_be_frozen", {"1"}},
        {"/leaving", {"{}"}},
        {"/unrecorded", {"{}", "[1]", "[\"\"]", "[\"{}\"]"}},
    };
    for (const auto& [where, values] : wrong)
        for (const std::string& value : values) {
            nlohmann::json object = good;
            object[nlohmann::json::json_pointer(where)] = nlohmann::json::parse(value);
            BOOST_CHECK_THROW(decode_snapshot(object.dump(), this_boot), std::exception);
        }
    BOOST_CHECK(decode_snapshot(good.dump(), this_boot));
    BOOST_CHECK(!decode_snapshot(good.dump(), "another"));
}

BOOST_AUTO_TEST_CASE(another_versions_snapshots_are_left_alone) {
    const Scratch scratch;
    const Snapshots snapshots(scratch.path(), this_boot);
    const std::string foreign = first_id + ".json";
    const std::string third_id(32, 'c');
    write_file(scratch / "containers" / foreign, R"({"version": 2, "what": "is to come"})");
    write_file(scratch / "containers" / (second_id + ".json"), "not JSON");
    write_file(scratch / "containers" / (second_id + ".json.new"), "half");
    Snapshots(scratch.path(), "the boot before").save(full_snapshot(third_id));
    const auto before = names_in(scratch / "containers");
    std::vector<std::string> problems;
    BOOST_CHECK_EXCEPTION(snapshots.load(problems), ForeignVersion, [&](const auto& error) {
        const std::string text = error.what();
        return text.find(scratch / "containers" / foreign) != std::string::npos &&
               text.find("version 2") != std::string::npos;
    });
    BOOST_TEST(problems.empty());
    BOOST_CHECK(names_in(scratch / "containers") == before);
    BOOST_TEST(before.size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_failure_names_the_path_and_leaves_nothing) {
    const Scratch scratch;
    const Snapshots snapshots(scratch.path(), this_boot);
    fs::create_directories(scratch / "containers" / (first_id + ".json") / "in the way");
    BOOST_CHECK_EXCEPTION(snapshots.save(full_snapshot(first_id)), std::system_error,
                          [&](const std::system_error& error) {
                              const std::string text = error.what();
                              return text.find(scratch / "containers" / first_id) !=
                                     std::string::npos;
                          });
    BOOST_CHECK(names_in(scratch / "containers") == std::set<std::string>{first_id + ".json"});
}

BOOST_AUTO_TEST_CASE(this_boot_has_a_name) {
    BOOST_TEST(boot_id().size() == 36U);
    BOOST_TEST(boot_id() == boot_id());
}

BOOST_AUTO_TEST_SUITE_END()
