// What outlives mydockerd: written whole or not at all, read back exactly, and never the reason why
// a daemon does not start.
#include "supervisor/store.hpp"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/ids.hpp"
#include "tests/scratch.hpp"

using namespace mydocker::supervisor;
using namespace mydocker::tests;
namespace fs = std::filesystem;

namespace {

StoredContainer example(const std::string& id) {
    StoredContainer container;
    container.id = id;
    container.name = "web";
    container.origin = Origin::client;
    container.stopped = true;
    container.auto_remove = true;
    container.created = WallTime(WallTime::duration(1'769'860'800'123'456'789));
    container.config_json = R"({"command":["sleep","9"],"environment":{"A":"ä \" \\ \n"}})";
    return container;
}

std::vector<StoredContainer> load(const Store& store) {
    std::vector<std::string> problems;
    std::vector<StoredContainer> containers;
    for (Store::Entry& entry : store.load(problems).containers)
        containers.push_back(std::move(entry.stored));
    for (const std::string& problem : problems) BOOST_ERROR(problem);
    return containers;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(store)

BOOST_AUTO_TEST_CASE(an_empty_store_is_made_for_root_alone) {
    const Scratch scratch;
    const Store store(scratch / "data");
    struct stat info {};
    BOOST_REQUIRE(::stat((scratch / "data/containers").c_str(), &info) == 0);
    BOOST_TEST((info.st_mode & 07777) == 0700U);
    BOOST_TEST(load(store).empty());
    BOOST_TEST(store.look().rubbish.empty());
}

BOOST_AUTO_TEST_CASE(what_is_saved_is_loaded) {
    const Scratch scratch;
    const StoredContainer saved = example(first_id);
    Store(scratch.path()).save(saved);
    const auto containers = load(Store(scratch.path()));
    BOOST_REQUIRE(containers.size() == 1U);
    const StoredContainer& loaded = containers.front();
    BOOST_TEST(loaded.id == saved.id);
    BOOST_TEST(loaded.name == saved.name);
    BOOST_CHECK(loaded.origin == Origin::client);
    BOOST_TEST(loaded.stopped);
    BOOST_TEST(loaded.auto_remove);
    BOOST_CHECK(loaded.created == saved.created);
    BOOST_CHECK(nlohmann::json::parse(loaded.config_json) ==
                nlohmann::json::parse(saved.config_json));
}

BOOST_AUTO_TEST_CASE(a_container_of_the_file_has_no_settings_here) {
    const Scratch scratch;
    const Store store(scratch.path());
    StoredContainer saved;
    saved.id = first_id;
    saved.name = "db";
    store.save(saved);
    const auto containers = load(store);
    BOOST_REQUIRE(containers.size() == 1U);
    BOOST_CHECK(containers[0].origin == Origin::file);
    BOOST_TEST(!containers[0].stopped);
    BOOST_TEST(!containers[0].auto_remove);
    BOOST_TEST(containers[0].config_json == "");
}

BOOST_AUTO_TEST_CASE(saving_again_replaces_and_leaves_no_other_file) {
    const Scratch scratch;
    const Store store(scratch.path());
    StoredContainer container = example(first_id);
    store.save(container);
    // What an earlier mydockerd left of a write that it could not finish.
    write_file(store.directory(first_id) / "container.json.new", "half a f");
    container.stopped = false;
    store.save(container);
    BOOST_TEST(!load(store).at(0).stopped);
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(store.directory(first_id)))
        names.insert(entry.path().filename());
    BOOST_CHECK(names == std::set<std::string>{"container.json"});
}

// What a power loss leaves of a save: any prefix of the new file, beside the old one or alone.
BOOST_AUTO_TEST_CASE(a_half_written_file_counts_for_nothing) {
    const Scratch scratch;
    const Store store(scratch.path());
    const fs::path path = store.directory(first_id) / "container.json";
    const fs::path temporary = path.string() + ".new";
    StoredContainer container = example(first_id);
    container.stopped = false;
    store.save(container);
    const std::string text = contents(path);
    store.save(example(first_id));
    for (std::size_t size = 0; size <= text.size(); ++size) {
        write_file(temporary, text.substr(0, size));
        const auto loaded = load(store);
        BOOST_REQUIRE(loaded.size() == 1U);
        BOOST_REQUIRE(loaded.front().stopped);
    }
    fs::remove(path);  // its first save, which nobody was told of
    for (std::size_t size = 0; size <= text.size(); ++size) {
        write_file(temporary, text.substr(0, size));
        BOOST_REQUIRE(load(store).empty());
        BOOST_REQUIRE(store.look().rubbish.size() == 1U);
    }
    store.save(example(first_id));
    BOOST_TEST(load(store).size() == 1U);
}

// Every prefix of a good file, and what is well formed but wrong.
BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_set_aside_and_told) {
    const Scratch scratch;
    const Store store(scratch.path());
    store.save(example(first_id));
    store.save(example(second_id));
    const fs::path path = store.directory(first_id) / "container.json";
    const std::string good = contents(path);
    std::vector<std::string> broken = {
        "[]",     "null",     "{}",
        "\0\0\0", "not JSON", contents(store.directory(second_id) / "container.json")};
    for (std::size_t size = 0; size + 1 < good.size(); ++size)
        broken.push_back(good.substr(0, size));
    for (const char* key :
         {"version", "id", "name", "origin", "stopped", "auto_remove", "created_ns"}) {
        nlohmann::json object = nlohmann::json::parse(good);
        object[key] = nlohmann::json::array();
        broken.push_back(object.dump());
        object.erase(key);
        broken.push_back(object.dump());
    }
    for (const std::string& text : broken) {
        BOOST_TEST_CONTEXT("container.json: " << text) {
            write_file(path, text);
            std::vector<std::string> problems;
            const auto containers = store.load(problems).containers;
            BOOST_REQUIRE(containers.size() == 1U);
            BOOST_TEST(containers[0].stored.id == second_id);
            BOOST_REQUIRE(problems.size() == 1U);
            BOOST_TEST(problems[0].find(path.string()) != std::string::npos);
            BOOST_TEST(problems[0].find("container.json.corrupt") != std::string::npos);
            BOOST_TEST(contents(path.string() + ".corrupt") == text);
            BOOST_TEST(!fs::exists(path));
            // Not rubbish: somebody may want to look at it. And told only once.
            BOOST_TEST(store.look().rubbish.empty());
            BOOST_TEST(load(store).size() == 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(another_versions_state_is_refused_and_left_alone) {
    const Scratch scratch;
    const Store store(scratch.path());
    store.save(example(first_id));
    store.save(example(second_id));
    const fs::path foreign = store.directory(first_id) / "container.json";
    const fs::path broken = store.directory(second_id) / "container.json";
    write_file(foreign, R"({"version": 2, "what": "is to come"})");
    write_file(broken, "not JSON");
    std::vector<std::string> problems;
    BOOST_CHECK_EXCEPTION(store.load(problems), std::runtime_error, [&](const auto& error) {
        const std::string text = error.what();
        return text.find(foreign.string()) != std::string::npos &&
               text.find("version 2") != std::string::npos;
    });
    BOOST_TEST(contents(foreign) == R"({"version": 2, "what": "is to come"})");
    BOOST_TEST(contents(broken) == "not JSON");
}

BOOST_AUTO_TEST_CASE(the_forgotten_is_rubbish_until_it_is_removed) {
    const Scratch scratch;
    const Store store(scratch.path());
    store.save(example(first_id));
    store.save(example(second_id));
    write_file(store.directory(first_id) / "something of its writable layer", "x");
    store.forget(first_id);
    BOOST_TEST(load(store).size() == 1U);
    BOOST_REQUIRE(store.look().rubbish.size() == 1U);
    BOOST_TEST(store.look().rubbish[0] == store.directory(first_id));
    BOOST_TEST(fs::exists(store.look().rubbish[0] / "something of its writable layer"));
    store.forget(first_id);  // again: harmless
}

BOOST_AUTO_TEST_CASE(a_failure_names_the_path) {
    const Scratch scratch;
    const Store store(scratch.path());
    write_file(store.directory(first_id), "a file where the directory should be");
    BOOST_CHECK_EXCEPTION(store.save(example(first_id)), std::system_error,
                          [&](const std::system_error& error) {
                              const std::string text = error.what();
                              return text.find(store.directory(first_id)) != std::string::npos;
                          });
}

BOOST_AUTO_TEST_CASE(ids_are_random) {
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = new_id();
        BOOST_REQUIRE(id.size() == 32U);
        BOOST_REQUIRE(id.find_first_not_of("0123456789abcdef") == std::string::npos);
        ids.insert(id);
    }
    BOOST_TEST(ids.size() == 1000U);
}

BOOST_AUTO_TEST_SUITE_END()
