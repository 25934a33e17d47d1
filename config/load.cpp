// Walks a host file and its includes, reads every container, and gathers the problems of all.
#include "config/load.hpp"

#include <algorithm>
#include <set>

#include "config/check.hpp"
#include "config/fields.hpp"
#include "config/file.hpp"

namespace mydocker::config {

namespace {

namespace fs = std::filesystem;

bool none_fatal(const std::vector<Problem>& problems) {
    return std::none_of(problems.begin(), problems.end(),
                        [](const Problem& problem) { return problem.fatal; });
}

// A string or an array of strings.
std::vector<Value> strings(const Value& from) {
    std::vector<Value> out;
    if (from.as<std::string>() != nullptr) {
        out.push_back(from);
    } else if (const auto* array = from.as<Node::Array>()) {
        for (std::size_t index = 0; index < array->size(); ++index)
            out.push_back(from.element(index));
    } else {
        from.wrong_kind("a string or an array of strings");
    }
    return out;
}

// env_file is merged here: what stands in `environment` itself wins over the files.
void read_env_files(const Value& from, const fs::path& base, Container& container) {
    std::map<std::string, std::string> variables;
    for (const Value& file : strings(from)) {
        const auto* name = file.text("a file name");
        if (name == nullptr) continue;
        if (base.empty() && !fs::path{*name}.is_absolute()) {
            file.problem("expected an absolute path, got " + in_quotes(*name));
            continue;
        }
        read_env_file(file, (base / *name).lexically_normal(), variables);
    }
    container.environment.merge(variables);
}

// `base` is where relative paths start; empty: there is no such place.
void read_container(const Value& from, const fs::path& base, Container& into) {
    if (from.as<Node::Table>() == nullptr) {
        from.wrong_kind("a table", "[container.NAME]");
        return;
    }
    if (!valid_name(into.name)) {
        from.problem("not a valid name", "a letter or digit, then up to 62 of a-z A-Z 0-9 _ . -");
    }
    TableReader reader{from};
    ContainerFields{}(reader, into);
    if (const auto files = reader.take("env_file")) read_env_files(*files, base, into);
    reader.finish();
    check_container(into, from);
}

class Loader {
public:
    // The outermost file: only here can there be nothing to read.
    void load(const std::string& name) {
        const auto [text, error] = read_text(name);
        if (error.empty()) return parse(text, name);
        loaded_.problems.push_back({name, 0, 0, "", "cannot be read: " + error, ""});
    }

    void parse(std::string_view text, const std::string& name) {
        Report report{name, loaded_.problems};
        open_.push_back(identity(name));
        done_.insert(open_.back());
        const auto root = parse_toml(text, name, loaded_.problems);
        if (root) read_top(Value{*root, "", report}, fs::path{name}.parent_path());
        open_.pop_back();
    }

    void parse_dump(std::string_view json, const std::string& name) {
        Report report{name, loaded_.problems};
        if (const auto root = parse_json(json, loaded_.problems))
            read_top(Value{*root, "", report}, "");
    }

    Loaded finish() {
        sort(loaded_.problems);
        return std::move(loaded_);
    }

private:
    static constexpr std::size_t most_files = 256;

    static std::string identity(const fs::path& path) {
        std::error_code error;
        const fs::path real = fs::canonical(path, error);
        return error ? path.lexically_normal().string() : real.string();
    }

    static std::string spot(const Value& value) {
        return value.report().file + ':' + std::to_string(value.place().line) + ':' +
               std::to_string(value.place().column);
    }

    void read_top(const Value& top, const fs::path& directory) {
        TableReader reader{top};
        if (const auto version = reader.take("version")) {
            const auto* number = version->as<std::int64_t>();
            if (number == nullptr) {
                version->wrong_kind("1");
            } else if (*number != 1) {
                version->problem("version " + std::to_string(*number) + " is not known",
                                 "only 1 is");
            }
        }
        const auto daemon = reader.take("daemon");
        const auto containers = reader.take("container");
        const auto include = reader.take("include");
        reader.finish();
        if (daemon) read_daemon(*daemon);
        if (containers) read_containers(*containers, directory.empty() ? "." : directory);
        if (include) read_includes(*include, directory);
    }

    void read_daemon(const Value& from) {
        if (first_time(from)) {
            Section<DaemonFields>{}.read(from, loaded_.host.daemon);
            if (from.as<Node::Table>() != nullptr) check_daemon(loaded_.host.daemon, from);
        }
    }

    void read_containers(const Value& from, const fs::path& directory) {
        const auto* table = from.as<Node::Table>();
        if (table == nullptr) {
            from.wrong_kind("a table", "[container.NAME]");
            return;
        }
        for (const Member& member : *table) {
            const Value value = from.member(member);
            Container container;
            container.name = member.key;
            read_container(value, directory, container);
            if (first_time(value)) loaded_.host.containers[member.key] = std::move(container);
        }
    }

    // Whether no other file has this key.
    bool first_time(const Value& value) {
        const auto [first, is_first] = places_.emplace(value.key(), spot(value));
        return is_first || value.problem("already stands at " + first->second);
    }

    void read_includes(const Value& from, const fs::path& directory) {
        for (const Value& each : strings(from)) {
            const auto* pattern = each.text("a file name or pattern");
            if (pattern == nullptr) continue;
            if (pattern->empty()) {
                each.problem("must not be empty");
            } else if (const std::string path = (directory / *pattern).lexically_normal().string();
                       !is_pattern(path)) {
                read_include(each, path, true);
            } else if (const auto found = matches(path); found.empty()) {
                each.warning("no file matches " + in_quotes(path));
            } else {
                for (const std::string& match : found) read_include(each, match, false);
            }
        }
    }

    // By name, a file that is still being read is a mistake; a pattern may well match its own file.
    void read_include(const Value& at, const std::string& path, bool by_name) {
        const std::string file = identity(path);
        if (by_name && std::find(open_.begin(), open_.end(), file) != open_.end()) {
            at.problem(in_quotes(path) + " includes itself, directly or through others");
            return;
        }
        if (done_.count(file) != 0) return;
        if (done_.size() > most_files) {
            if (!full_) at.problem("more than " + std::to_string(most_files) + " files");
            full_ = true;
            return;
        }
        const auto [text, error] = read_text(path);
        if (!error.empty()) {
            at.problem("cannot read " + in_quotes(path) + ": " + error);
            return;
        }
        parse(text, path);
    }

    Loaded loaded_;
    std::map<std::string, std::string> places_;  // of [daemon] and every container: "a.toml:3:1"
    std::vector<std::string> open_;              // files being read, the outermost first
    std::set<std::string> done_;                 // every file read so far
    bool full_ = false;
};

}  // namespace

bool Loaded::ok() const { return none_fatal(problems); }
bool LoadedContainer::ok() const { return none_fatal(problems); }

Loaded load_file(const std::filesystem::path& path) {
    Loader loader;
    loader.load(path.string());
    return loader.finish();
}

Loaded load_text(std::string_view toml, const std::string& file_name) {
    Loader loader;
    loader.parse(toml, file_name);
    return loader.finish();
}

Loaded load_json(std::string_view json, const std::string& file_name) {
    Loader loader;
    loader.parse_dump(json, file_name);
    return loader.finish();
}

LoadedContainer load_container_json(std::string_view json, const std::string& name) {
    LoadedContainer loaded;
    loaded.container.name = name;
    Report report{"", loaded.problems};
    if (const auto root = parse_json(json, loaded.problems)) {
        read_container(Value{*root, join_key("container", name), report}, "", loaded.container);
    }
    sort(loaded.problems);
    return loaded;
}

}  // namespace mydocker::config
