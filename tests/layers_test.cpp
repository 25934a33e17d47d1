// Reads the sources: arrows between the folders point one way, each library is included where it
// belongs, files open with a comment and stay short. The rules are tables; each is shown to bite.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Words = std::vector<std::string_view>;

// What the files of a folder may include in quotes, as beginnings of paths. The longest folder that
// fits a file counts; a file in none of them may include anything of the tree.
const std::map<std::string_view, Words> arrows = {
    {"config/", {"config/"}},
    {"runtime/", {"runtime/"}},
    {"runtime/keeper/", {"runtime/keeper/"}},
    {"supervisor/", {"supervisor/", "runtime/", "config/"}},
    {"supervisor/protocol/", {"supervisor/protocol/"}},
    {"tools/ctl/", {"supervisor/protocol/", "config/", "tools/"}},
};

// Libraries that only some files may include, as beginnings of the include's path.
struct Library {
    std::string_view header;
    Words allowed_in;
};
const std::vector<Library> libraries = {
    {"toml++/", {"config/"}},
    {"spdlog/", {"supervisor/", "tools/"}},
    {"asio", {"supervisor/", "tools/"}},
    {"boost/", {"supervisor/", "tools/", "tests/"}},
    {"nlohmann/", {"config/", "supervisor/", "tools/", "tests/"}},
    {"CLI/", {"supervisor/", "tools/"}},
    {"archive", {"tools/files/", "tests/"}},
};

// The init runs between clone and exec, and the keeper has no C library: nothing that may reach for
// the heap or throw.
const std::set<std::string_view> heap_headers = {
    "any",     "deque",         "exception",     "filesystem", "format", "forward_list",
    "fstream", "functional",    "future",        "iomanip",    "ios",    "iostream",
    "istream", "list",          "locale",        "map",        "memory", "memory_resource",
    "mutex",   "new",           "ostream",       "queue",      "random", "regex",
    "set",     "sstream",       "stack",         "stdexcept",  "string", "system_error",
    "thread",  "unordered_map", "unordered_set", "valarray",   "vector",
};

constexpr std::size_t most_lines = 420;

bool begins_with_one_of(std::string_view text, const Words& beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view each) { return text.starts_with(each); });
}

struct Include {
    bool quoted;
    std::string path;
};

std::vector<Include> includes_of(const std::string& text) {
    std::vector<Include> found;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const auto skip_blanks = [&](std::size_t at) { return line.find_first_not_of(" \t", at); };
        std::size_t at = skip_blanks(0);
        if (at == std::string::npos || line[at] != '#') continue;
        at = skip_blanks(at + 1);
        if (at == std::string::npos || line.compare(at, 7, "include") != 0) continue;
        at = skip_blanks(at + 7);
        if (at == std::string::npos) continue;
        const std::size_t end = line.find(line[at] == '<' ? '>' : '"', at + 1);
        if (end == std::string::npos) continue;
        found.push_back({line[at] == '"', line.substr(at + 1, end - at - 1)});
    }
    return found;
}

using Sources = std::map<std::string, std::string>;  // path from the top -> text

// All that a file includes of the tree, and what that includes, and so on; itself too.
std::set<std::string> closure(const Sources& sources, const std::string& path) {
    std::set<std::string> seen{path};
    std::vector<std::string> todo{path};
    while (!todo.empty()) {
        const auto source = sources.find(todo.back());
        todo.pop_back();
        if (source == sources.end()) continue;
        for (const Include& include : includes_of(source->second))
            if (include.quoted && seen.insert(include.path).second) todo.push_back(include.path);
    }
    return seen;
}

void check_arrows(const Sources& sources, const std::string& path,
                  std::vector<std::string>& problems) {
    std::string_view folder;
    for (const auto& [prefix, allowed] : arrows)
        if (path.starts_with(prefix) && prefix.size() > folder.size()) folder = prefix;
    for (const Include& include : includes_of(sources.at(path))) {
        const auto wrong = [&](const std::string& why) {
            problems.push_back(path + " includes " + include.path + ": " + why);
        };
        if (include.quoted) {
            if (!folder.empty() && !begins_with_one_of(include.path, arrows.at(folder)))
                wrong("not for " + std::string{folder});
            continue;
        }
        for (const Library& library : libraries)
            if (include.path.starts_with(library.header) &&
                !begins_with_one_of(path, library.allowed_in))
                wrong("not for this folder");
        const bool header = path.ends_with(".hpp");
        if (include.path.starts_with("toml++/") && header) wrong("in .cpp files only");
        // C++'s own headers have no ending: what ends in .h is Linux's or C's. glob(3), which C++
        // lacks, reads directories only.
        if (path.starts_with("config/") && include.path.ends_with(".h") &&
            !include.path.starts_with("toml++/") && include.path != "glob.h")
            wrong("config/ knows no Linux");
        if (include.path.starts_with("asio/signal_set")) wrong("signals come by signalfd");
    }
}

void check_init(const Sources& sources, const std::string& path,
                std::vector<std::string>& problems) {
    if (!path.starts_with("runtime/init/") && !path.starts_with("runtime/keeper/")) return;
    for (const std::string& reached : closure(sources, path)) {
        const auto source = sources.find(reached);
        if (source == sources.end()) continue;
        for (const Include& include : includes_of(source->second))
            if (!include.quoted && heap_headers.contains(include.path))
                problems.push_back(path + " gets <" + include.path + "> from " + reached +
                                   ": there is no heap in it");
    }
}

void check_form(const std::string& path, const std::string& text,
                std::vector<std::string>& problems) {
    if (!text.starts_with("// ") && !text.starts_with("/* "))
        problems.push_back(path + " does not open with a comment");
    if (path.ends_with(".hpp") && text.find("\n#pragma once\n") == std::string::npos)
        problems.push_back(path + " has no #pragma once");
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    if (lines > most_lines)
        problems.push_back(path + " has " + std::to_string(lines) +
                           " lines: two ideas in one file");
}

std::vector<std::string> problems_of(const Sources& sources) {
    std::vector<std::string> problems;
    for (const auto& [path, text] : sources) {
        check_arrows(sources, path, problems);
        check_init(sources, path, problems);
        check_form(path, text, problems);
    }
    return problems;
}

Sources read_tree(const std::filesystem::path& top) {
    namespace fs = std::filesystem;
    Sources sources;
    for (const char* folder : {"config", "runtime", "supervisor", "tools"})
        for (const auto& entry : fs::recursive_directory_iterator{top / folder}) {
            const std::string ending = entry.path().extension().string();
            if (!entry.is_regular_file()) continue;
            if (ending != ".hpp" && ending != ".cpp" && ending != ".h" && ending != ".c") continue;
            std::ifstream file{entry.path(), std::ios::binary};
            std::ostringstream text;
            text << file.rdbuf();
            sources[fs::relative(entry.path(), top).string()] = text.str();
        }
    return sources;
}

// The problems of one file with one line in it that may be wrong.
std::vector<std::string> problems_of(const std::string& path, const std::string& line) {
    return problems_of(Sources{{path, "// A file.\n#pragma once\n" + line + "\n"}});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(layers)

BOOST_AUTO_TEST_CASE(the_tree_keeps_the_rules) {
    const Sources sources = read_tree(MYDOCKER_SOURCE_DIR);
    for (const char* path : {"config/host.hpp", "supervisor/lifecycle.hpp", "runtime/spec.hpp"})
        BOOST_TEST(sources.contains(path), path << " was not found");
    for (const std::string& problem : problems_of(sources)) BOOST_ERROR(problem);
}

BOOST_AUTO_TEST_CASE(each_rule_bites) {
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {"config/a.cpp", "#include \"runtime/spec.hpp\""},
        {"config/a.cpp", "#include \"supervisor/gate.hpp\""},
        {"config/a.cpp", "#include \"host.hpp\""},  // includes are written from the top
        {"config/a.cpp", "#include <sys/stat.h>"},
        {"config/a.cpp", "  #  include <linux/sched.h>"},
        {"config/a.hpp", "#include <unistd.h>  // getuid"},
        {"config/a.cpp", "#include <asio/io_context.hpp>"},
        {"config/a.cpp", "#include <spdlog/spdlog.h>"},
        {"config/a.hpp", "#include <toml++/toml.h>"},
        {"runtime/a.cpp", "#include \"config/host.hpp\""},
        {"runtime/init/a.cpp", "#include \"supervisor/gate.hpp\""},
        {"runtime/a.cpp", "#include <toml++/toml.h>"},
        {"runtime/a.cpp", "#include <asio.hpp>"},
        {"runtime/a.cpp", "#include <spdlog/spdlog.h>"},
        {"runtime/a.cpp", "#include <nlohmann/json.hpp>"},
        {"runtime/init/a.cpp", "#include <string>"},
        {"runtime/init/a.hpp", "#include <vector>"},
        {"runtime/keeper/a.hpp", "#include <vector>"},
        {"runtime/keeper/a.cpp", "#include \"runtime/unique_fd.hpp\""},
        {"supervisor/a.cpp", "#include \"tools/ctl/client.hpp\""},
        {"supervisor/a.cpp", "#include \"tests/helper.hpp\""},
        {"supervisor/a.cpp", "#include <toml++/toml.h>"},
        {"supervisor/a.cpp", "#include <asio/signal_set.hpp>"},
        {"supervisor/protocol/a.cpp", "#include \"supervisor/gate.hpp\""},
        {"tools/ctl/a.cpp", "#include \"supervisor/gate.hpp\""},
        {"tools/ctl/a.cpp", "#include \"runtime/spec.hpp\""},
        {"tools/bench/a.cpp", "#include <toml++/toml.h>"},
        {"supervisor/a.cpp", "#include <archive.h>"},
    };
    for (const auto& [path, line] : wrong)
        BOOST_TEST(!problems_of(path, line).empty(), path << ": " << line);

    // Heap by way of another header.
    const Sources indirect = {
        {"runtime/init/a.cpp", "// A.\n#include \"runtime/b.hpp\"\n"},
        {"runtime/b.hpp", "// B.\n#pragma once\n#include \"runtime/c.hpp\"\n"},
        {"runtime/c.hpp", "// C.\n#pragma once\n#include <string>\n"},
    };
    const std::vector<std::string> golden = {
        "runtime/init/a.cpp gets <string> from runtime/c.hpp: there is no heap in it"};
    BOOST_TEST(problems_of(indirect) == golden, boost::test_tools::per_element());

    const auto form = [](const std::string& path, const std::string& text) {
        return problems_of(Sources{{path, text}}).size();
    };
    BOOST_TEST(form("tools/a.hpp", "#pragma once\n// Late.\n") == 2U);
    BOOST_TEST(form("tools/a.hpp", "// No guard.\nint a();\n") == 1U);
    BOOST_TEST(form("tools/a.cpp", "#include <string>\n") == 1U);
    BOOST_TEST(form("tools/a.cpp", "// Long.\n" + std::string(most_lines - 1, '\n')) == 0U);
    BOOST_TEST(form("tools/a.cpp", "// Long.\n" + std::string(most_lines, '\n')) == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_right_passes) {
    const std::vector<std::pair<std::string, std::string>> right = {
        {"config/a.cpp", "#include <toml++/toml.h>"},
        {"config/a.cpp", "#include \"config/host.hpp\""},
        {"config/a.cpp", "// #include \"runtime/spec.hpp\""},
        {"config/a.cpp", "#include <nlohmann/json.hpp>"},
        {"runtime/a.cpp", "#include <sys/mount.h>"},
        {"runtime/a.cpp", "#include <string>"},
        {"runtime/init/a.cpp", "#include <linux/sched.h>"},
        {"runtime/init/a.cpp", "#include <cstdint>"},
        {"supervisor/a.cpp", "#include \"runtime/spec.hpp\""},
        {"supervisor/a.cpp", "#include \"config/host.hpp\""},
        {"supervisor/a.cpp", "#include <asio/io_context.hpp>"},
        {"tools/ctl/a.cpp", "#include \"supervisor/protocol/protocol.hpp\""},
        {"tools/ctl/a.cpp", "#include \"config/load.hpp\""},
        {"tools/bench/a.cpp", "#include \"runtime/spec.hpp\""},
    };
    for (const auto& [path, line] : right)
        for (const std::string& problem : problems_of(path, line)) BOOST_ERROR(problem);
}

BOOST_AUTO_TEST_SUITE_END()
