// Trees as tar streams and back: what survives the way, where a tree goes, and that neither a
// hostile stream nor a tree that changes under the copying hands leads anywhere else.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <functional>
#include <thread>

#include "tests/scratch.hpp"
#include "tools/files/archive.hpp"
#include "tools/files/pack.hpp"
#include "tools/files/tree_error.hpp"
#include "tools/files/unpack.hpp"

using namespace mydocker::files;
using mydocker::tests::contents;
using mydocker::tests::Scratch;
using mydocker::tests::write_file;
namespace fs = std::filesystem;

namespace {

// unpack() changes the working directory; the other tests keep theirs.
class Home {
public:
    ~Home() {
        std::error_code ignored;
        fs::current_path(path_, ignored);
    }

private:
    fs::path path_ = fs::current_path();
};

std::string packed(const fs::path& path, const PackOptions& options = {}) {
    std::string bytes;
    pack(path, options, [&](std::string_view part) { bytes += part; });
    return bytes;
}

Unpacked unpacked(const std::string& bytes, const fs::path& destination,
                  const UnpackOptions& options = {}) {
    const Home home;
    std::size_t at = 0;
    return unpack(destination, options, [&](char* buffer, std::size_t size) {
        const std::size_t count = bytes.copy(buffer, std::min<std::size_t>(size, 999), at);
        at += count;
        return count;
    });
}

// What it threw; "" where it did not.
std::string refusal(const std::function<void()>& action) {
    try {
        action();
        return "";
    } catch (const TreeError& error) {
        return error.what();
    }
}

struct stat status_of(const fs::path& path) {
    struct stat status {};
    BOOST_REQUIRE_MESSAGE(::lstat(path.c_str(), &status) == 0, path << ": " << strerror(errno));
    return status;
}

struct Entry {
    std::string name;
    unsigned type = AE_IFREG;
    std::string text = {};  // a file's content, a symbolic link's target
    std::string hard_link = {};
    unsigned mode = 0644;
};

std::string tar(const std::vector<Entry>& entries) {
    std::vector<char> memory(1 << 20);
    std::size_t used = 0;
    const Utf8Names utf8;
    const ArchivePtr out(::archive_write_new());
    ::archive_write_set_format_pax_restricted(out.get());
    BOOST_REQUIRE(::archive_write_open_memory(out.get(), memory.data(), memory.size(), &used) ==
                  ARCHIVE_OK);
    for (const Entry& each : entries) {
        archive_entry* entry = ::archive_entry_new();
        ::archive_entry_set_pathname(entry, each.name.c_str());
        ::archive_entry_set_filetype(entry, each.type);
        ::archive_entry_set_perm(entry, each.mode);
        const bool file = each.type == AE_IFREG && each.hard_link.empty();
        ::archive_entry_set_size(entry, file ? static_cast<la_int64_t>(each.text.size()) : 0);
        if (each.type == AE_IFLNK) ::archive_entry_set_symlink(entry, each.text.c_str());
        if (!each.hard_link.empty()) ::archive_entry_set_hardlink(entry, each.hard_link.c_str());
        if (each.type == AE_IFCHR) ::archive_entry_set_rdev(entry, 259);
        BOOST_REQUIRE(::archive_write_header(out.get(), entry) >= ARCHIVE_WARN);
        if (file) ::archive_write_data(out.get(), each.text.data(), each.text.size());
        ::archive_entry_free(entry);
    }
    ::archive_write_close(out.get());
    return {memory.data(), used};
}

Entry directory(const std::string& name) { return {name, AE_IFDIR, "", "", 0755}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(a_tree_comes_back_as_it_was) {
    const Scratch scratch;
    const fs::path tree = scratch / "tree";
    const std::string deep = std::string(200, 'a') + "/" + std::string(200, 'b');
    const std::string bytes = "not UTF-8: \xff\xfe";
    fs::create_directories(tree / deep);
    fs::create_directory(tree / "empty");
    const std::string big(3'000'000, 'x');
    write_file(tree / "big", big);
    write_file(tree / deep / std::string(250, 'c'), "deep");
    write_file(tree / "\xc3\xa9t\xc3\xa9", "summer");
    write_file(tree / bytes, "odd");
    write_file(tree / "nothing", "");
    fs::create_symlink("/nowhere/at all", tree / "link");
    fs::create_hard_link(tree / "big", tree / "same");
    BOOST_REQUIRE(::mkfifo((tree / "fifo").c_str(), 0600) == 0);
    fs::permissions(tree / "nothing", fs::perms(0640));
    fs::permissions(tree / "empty", fs::perms(01711));
    const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    for (const char* name : {"nothing", "empty"})
        ::utimensat(AT_FDCWD, (tree / name).c_str(), times, 0);

    const std::string stream = packed(tree);
    BOOST_TEST(stream.size() < 3'100'000U);  // a hard link is not copied twice
    fs::create_directory(scratch / "out");
    unpacked(stream, scratch / "out");
    const fs::path copy = scratch / "out" / "tree";
    BOOST_TEST((contents(copy / "big") == big));
    BOOST_TEST(contents(copy / deep / std::string(250, 'c')) == "deep");
    BOOST_TEST(contents(copy / "\xc3\xa9t\xc3\xa9") == "summer");
    BOOST_TEST(contents(copy / bytes) == "odd");
    BOOST_TEST(contents(copy / "nothing") == "");
    BOOST_TEST(fs::read_symlink(copy / "link").string() == "/nowhere/at all");
    BOOST_TEST(status_of(copy / "big").st_ino == status_of(copy / "same").st_ino);
    BOOST_TEST(S_ISFIFO(status_of(copy / "fifo").st_mode));
    BOOST_TEST(status_of(copy / "nothing").st_mode == (S_IFREG | 0640U));
    BOOST_TEST(status_of(copy / "empty").st_mode == (S_IFDIR | 01711U));
    BOOST_TEST(status_of(copy / "nothing").st_mtim.tv_sec == 1'000'000'000);
    BOOST_TEST(status_of(copy / "empty").st_mtim.tv_sec == 1'000'000'000);
    BOOST_TEST(status_of(copy / "nothing").st_uid == ::geteuid());
}

BOOST_AUTO_TEST_CASE(only_what_is_asked_for_is_followed) {
    const Scratch scratch;
    fs::create_directory(scratch / "dir");
    write_file(scratch / "dir" / "file", "text");
    fs::create_symlink("dir", scratch / "link");
    fs::create_directory(scratch / "out");
    unpacked(packed(scratch / "link"), scratch / "out");
    BOOST_TEST(fs::is_symlink(scratch / "out" / "link"));
    unpacked(packed(scratch / "link", {.follow = true}), scratch / "out" / "followed");
    BOOST_TEST(contents(scratch / "out" / "followed" / "file") == "text");
    BOOST_TEST(refusal([&] { packed(scratch / "nobody"); }) ==
               "there is no " + (scratch / "nobody").string());
    BOOST_TEST(!refusal([&] { packed(scratch / "dir" / "file" / "x"); }).empty());
}

BOOST_AUTO_TEST_CASE(where_a_tree_goes_is_dockers_rule) {
    struct Row {
        const char* source;       // "file", "dir", "dir/."
        const char* destination;  // beside them
        const char* result;       // what must then exist; "": it is refused
    };
    const Row rows[] = {
        {"file", "new", "new"},
        {"file", "new/", ""},
        {"file", "no/new", ""},
        {"file", "old", "old"},
        {"file", "old/", ""},
        {"file", "there", "there/file"},
        {"file", "there/", "there/file"},
        {"file", "there/.", "there/file"},
        {"file", "to-there", "there/file"},
        {"file", "to-old", "old"},  // the link stays, what it leads to is written
        {"file", "has-dir", ""},    // has-dir/file is a directory
        {"dir", "new", "new/inner/leaf"},
        {"dir", "new/", "new/inner/leaf"},
        {"dir", "no/new", ""},
        {"dir", "old", ""},
        {"dir", "there", "there/dir/inner/leaf"},
        {"dir", "there/", "there/dir/inner/leaf"},
        {"dir", "has-file", ""},  // has-file/dir is a file
        {"dir/.", "new", "new/inner/leaf"},
        {"dir/.", "there", "there/inner/leaf"},
        {"dir/.", "old", ""},
    };
    for (const Row& row : rows) {
        const Scratch scratch;
        fs::create_directories(scratch / "dir" / "inner");
        for (const char* name : {"there", "has-dir/file", "has-file"})
            fs::create_directories(scratch / name);
        write_file(scratch / "dir" / "inner" / "leaf", "fresh");
        write_file(scratch / "file", "fresh");
        write_file(scratch / "old", "stale");
        write_file(scratch / "has-file" / "dir", "stale");
        fs::create_symlink("there", scratch / "to-there");
        fs::create_symlink("old", scratch / "to-old");
        const std::string stream = packed(scratch.path().string() + "/" + row.source);
        const std::string destination = scratch.path().string() + "/" + row.destination;
        BOOST_TEST_CONTEXT(row.source << " to " << row.destination) {
            const std::string text = refusal([&] { unpacked(stream, destination); });
            if (*row.result == '\0') {
                BOOST_TEST(!text.empty());
                BOOST_TEST(contents(scratch / "old") == "stale");
                BOOST_TEST(fs::is_directory(scratch / "has-dir" / "file"));
                BOOST_TEST(contents(scratch / "has-file" / "dir") == "stale");
            } else {
                BOOST_TEST(text == "");
                BOOST_TEST(contents(scratch / row.result) == "fresh");
                BOOST_TEST(fs::is_symlink(scratch / "to-old"));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_hostile_stream_stays_below_its_place) {
    const std::string out = "../outside";
    const std::vector<std::vector<Entry>> streams = {
        {{"../x"}},
        {{".."}},
        {directory("t"), {"t/../../outside/x"}},
        {directory("t"), {"/etc/x"}},
        {directory("t"), {"other/x"}},
        {directory("t"), {"tt"}},
        {directory("t"), {"t/link", AE_IFLNK, out}, {"t/link/x"}},
        {directory("t"), {"t/link", AE_IFLNK, out}, directory("t/link/d")},
        {directory("t"), {"t/link", AE_IFLNK, "."}, {"t/link/../../outside/x"}},
        {directory("t"), {"t/a", AE_IFLNK, ".."}, {"t/a/b", AE_IFLNK, out}, {"t/a/b/x"}},
        {{"t", AE_IFLNK, out}, {"t/x"}},
        {{"t", AE_IFLNK, out}, directory("t"), {"t/l", AE_IFLNK, "../" + out}, {"t/l/x"}},
        {directory("t"), {"t/h", AE_IFREG, "", "../outside/secret"}},
        {directory("t"), {"t/h", AE_IFREG, "", "t/../../outside/secret"}},
        {directory("t"), {"t/h", AE_IFREG, "", "/etc/passwd"}},
        {directory("t"), {"t/l", AE_IFLNK, out}, {"t/h", AE_IFREG, "", "t/l/secret"}},
        {{"."}, {"../outside/x"}},
        {directory("."), {"./link", AE_IFLNK, "../outside"}, {"./link/x"}},
    };
    for (std::size_t i = 0; i < streams.size(); ++i) {
        const Scratch scratch;
        fs::create_directory(scratch / "outside");
        fs::create_directory(scratch / "in");
        write_file(scratch / "outside" / "secret", "secret");
        BOOST_TEST_CONTEXT("stream " << i) {
            const std::string stream = tar(streams[i]);
            BOOST_TEST(refusal([&] { unpacked(stream, scratch / "in"); }) != "");
            BOOST_TEST(std::distance(fs::directory_iterator(scratch / "outside"),
                                     fs::directory_iterator()) == 1);
            BOOST_TEST(std::distance(fs::directory_iterator(scratch.path()),
                                     fs::directory_iterator()) == 2);
            BOOST_TEST(status_of(scratch / "outside" / "secret").st_nlink == 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_link_of_an_earlier_copy_is_not_followed) {
    const Scratch scratch;
    fs::create_directory(scratch / "outside");
    fs::create_directory(scratch / "in");
    const std::string out = (scratch / "outside").string();
    unpacked(tar({{"t", AE_IFLNK, out}}), scratch / "in");
    unpacked(tar({directory("t"), {"t/x", AE_IFREG, "text"}}), scratch / "in");
    BOOST_TEST(fs::is_empty(scratch / "outside"));
    BOOST_TEST(contents(scratch / "in" / "t" / "x") == "text");
    BOOST_TEST(!fs::is_symlink(scratch / "in" / "t"));
}

BOOST_AUTO_TEST_CASE(no_devices_and_nothing_set_uid) {
    const Scratch scratch;
    const std::string stream = tar({directory("t"),
                                    {"t/device", AE_IFCHR},
                                    {"t/program", AE_IFREG, "text", "", 06755},
                                    {"t/after", AE_IFREG, "after"}});
    for (const bool keep_owner : {false, true}) {
        const auto done = unpacked(stream, scratch / std::to_string(keep_owner),
                                   {.keep_owner = keep_owner && ::geteuid() == 0});
        const fs::path copy = scratch / std::to_string(keep_owner);
        BOOST_TEST(done.left_out == 1U);
        BOOST_TEST(!fs::exists(copy / "device"));
        BOOST_TEST(status_of(copy / "program").st_mode == (S_IFREG | 0755U));
        BOOST_TEST(contents(copy / "after") == "after");
    }
}

BOOST_AUTO_TEST_CASE(broken_streams_are_refused) {
    const Scratch scratch;
    const std::string whole = tar({directory("t"), {"t/x", AE_IFREG, std::string(5000, 'x')}});
    for (const std::string& stream :
         {std::string(), std::string("no tar at all"), std::string(2048, '\0'),
          whole.substr(0, 700), whole.substr(0, 3000), std::string(4096, 'z')})
        BOOST_TEST(refusal([&] { unpacked(stream, scratch / "new"); }) != "");
    // What the source throws comes through as it is.
    const Home home;
    BOOST_CHECK_THROW(
        unpack(scratch / "new", {},
               [](char*, std::size_t) -> std::size_t { throw std::logic_error("x"); }),
        std::logic_error);
    BOOST_CHECK_THROW(
        pack(scratch.path(), {}, [](std::string_view) { throw std::logic_error("x"); }),
        std::logic_error);
}

BOOST_AUTO_TEST_CASE(hidden_places_are_refused_wherever_the_path_leads) {
    const Scratch scratch;
    fs::create_directories(scratch / "root" / "volume");
    fs::create_symlink("volume", scratch / "root" / "link");
    const std::string volume = (scratch / "root" / "volume").string();
    const auto refused = [&](const std::string& name) {
        return refusal([&] { refuse_hidden(scratch / ("root/" + name), {volume}); }) != "";
    };
    BOOST_TEST(refused("volume"));
    BOOST_TEST(refused("volume/new"));
    BOOST_TEST(refused("link/new"));
    BOOST_TEST(refused("link/../volume"));
    BOOST_TEST(!refused("volumes"));
    BOOST_TEST(!refused("."));
}

// A directory that becomes a symbolic link, and back, as often as it can while it is read.
BOOST_AUTO_TEST_CASE(a_tree_that_changes_shows_nothing_else) {
    const Scratch scratch;
    const fs::path tree = scratch / "tree";
    fs::create_directories(tree / "swap");
    fs::create_directory(scratch / "outside");
    write_file(tree / "swap" / "file", "mine");
    write_file(scratch / "outside" / "file", "secret");
    fs::create_symlink("../outside", tree / "trap");
    std::atomic<bool> stop = false;
    std::thread swapper([&] {
        const std::string one = tree / "swap";
        const std::string other = tree / "trap";
        while (!stop) ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    });
    std::string seen;
    for (int i = 0; i < 300; ++i) seen += packed(tree);
    stop = true;
    swapper.join();
    BOOST_TEST((seen.find("mine") != std::string::npos));
    BOOST_TEST((seen.find("secret") == std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()
