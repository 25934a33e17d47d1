// What was read ahead counts for the version of its file that was read, and for no other.
#include "supervisor/read_ahead.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>

#include "supervisor/ledger.hpp"
#include "supervisor/snapshots.hpp"
#include "supervisor/store.hpp"
#include "tests/scratch.hpp"
#include "tests/stored_state.hpp"

using namespace mydocker::supervisor;
using mydocker::tests::Scratch;
using mydocker::tests::write_file;

namespace {

// Until a file that is written now counts as settled.
void settle() { std::this_thread::sleep_for(std::chrono::milliseconds{150}); }

FileVersion version_of(const std::string& path) { return FileVersion::of(AT_FDCWD, path); }

StoredContainer example(char digit, const std::string& command) {
    StoredContainer container;
    container.id = std::string(32, digit);
    container.name = std::string("web") + digit;
    container.origin = Origin::client;
    container.config_json = R"({"command": [")" + command + R"("]})";
    return container;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(read_ahead)

BOOST_AUTO_TEST_CASE(one_version_is_taken_once) {
    const Scratch scratch;
    const std::string path = scratch / "file";
    const auto now = [&] { return version_of(path); };
    write_file(path, "one");
    settle();
    ReadAhead<int> known;
    known.put("a", version_of(path), 1);
    known.put("b", version_of(path), 2);
    known.put("c", version_of(path), 3);
    BOOST_TEST(known.take("a", now).value_or(0) == 1);
    BOOST_TEST(known.take("a", now).value_or(0) == 0);
    write_file(scratch / "new", "two");  // as long
    std::filesystem::rename(scratch / "new", path);
    BOOST_TEST(known.take("b", now).value_or(0) == 0);
    std::filesystem::remove(path);
    BOOST_TEST(known.take("c", now).value_or(0) == 0);
}

BOOST_AUTO_TEST_CASE(none_and_the_young_are_not_known) {
    const Scratch scratch;
    const std::string path = scratch / "file";
    const auto now = [&] { return version_of(path); };
    ReadAhead<int> known;
    known.put("a", version_of(path), 1);
    BOOST_TEST(known.take("a", now).value_or(0) == 0);
    // The next one could look the same, however long the reading has taken.
    FileVersion young;
    do {  // looked at in time, on a slow machine too
        write_file(path, "one");
        young = version_of(path);
    } while (young.is_settled());
    settle();
    known.put("a", young, 1);
    BOOST_TEST(known.take("a", now).value_or(0) == 0);
}

BOOST_AUTO_TEST_CASE(the_last_record_counts_for_as_long_as_it_is_the_last) {
    const Scratch scratch;
    Ledger ledger(scratch / "attempts");
    const auto append = [&](std::uint64_t number) {
        ledger.append({mydocker::tests::full_attempt(number), {}});
    };
    const auto now = [&] { return ledger.version(); };
    ReadAhead<Record> known;
    const auto put = [&] {
        settle();
        const FileVersion version = ledger.version();
        auto last = ledger.look_at_last();
        BOOST_REQUIRE(last.has_value());
        known.put("a", version, std::move(*last));
    };
    BOOST_TEST(!ledger.look_at_last().has_value());
    append(1);
    put();
    auto last = known.take("a", now);
    BOOST_REQUIRE(last.has_value());
    BOOST_TEST(last->attempt.number == 1U);
    put();
    append(2);
    BOOST_TEST(!known.take("a", now).has_value());
    put();
    std::filesystem::resize_file(scratch / "attempts", 10);
    BOOST_TEST(!known.take("a", now).has_value());
    BOOST_TEST(!ledger.look_at_last().has_value());
}

BOOST_AUTO_TEST_CASE(a_store_tells_what_there_is_now) {
    const Scratch scratch;
    Store store(scratch.path());
    for (const char digit : {'a', 'b', 'c'}) store.save(example(digit, "old"));
    settle();
    store.keep(store.look());
    BOOST_TEST(store.known() == 3U);
    store.save(example('b', "new"));
    store.forget(std::string(32, 'c'));
    store.save(example('d', "new"));
    std::vector<std::string> problems;
    std::map<std::string, std::string> found;
    for (const auto& [stored, settings, version] : store.load(problems).containers) {
        BOOST_REQUIRE(settings->ok());
        BOOST_TEST(settings->container.name == stored.name);
        found[stored.name] = settings->container.command.front();
    }
    const std::map<std::string, std::string> wanted{
        {"weba", "old"}, {"webb", "new"}, {"webd", "new"}};
    BOOST_CHECK(found == wanted);
    BOOST_TEST(problems.empty());
}

BOOST_AUTO_TEST_CASE(snapshots_tell_what_there_is_now) {
    const Scratch scratch;
    Snapshots snapshots(scratch.path(), "boot");
    const auto save = [&](char digit, const std::string& reason) {
        Snapshot snapshot;
        snapshot.id = std::string(32, digit);
        snapshot.reason = reason;
        snapshots.save(snapshot);
    };
    for (const char digit : {'a', 'b', 'c'}) save(digit, "old");
    settle();
    snapshots.keep(snapshots.look());
    BOOST_TEST(snapshots.known() == 3U);
    save('b', "new");
    snapshots.forget(std::string(32, 'c'));
    std::vector<std::string> problems;
    std::map<std::string, std::string> found;
    for (const auto& [id, snapshot] : snapshots.load(problems)) found[id] = snapshot.reason;
    const std::map<std::string, std::string> wanted{{std::string(32, 'a'), "old"},
                                                    {std::string(32, 'b'), "new"}};
    BOOST_CHECK(found == wanted);
    BOOST_TEST(problems.empty());
}

BOOST_AUTO_TEST_SUITE_END()
