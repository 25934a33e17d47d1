// Reading one table of the tree: every key is asked for by name, what was not asked for is a
// problem, and every problem carries file, place and key path. Private to config/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/problem.hpp"
#include "config/tree.hpp"

namespace mydocker::config {

// Where problems of one file go.
struct Report {
    std::string file;
    std::vector<Problem>& problems;
};

// A node that knows its key path. Copies are cheap enough; the node must outlive them.
class Value {
public:
    Value(const Node& node, std::string key, Report& report)
        : node_{&node}, key_{std::move(key)}, report_{&report} {}

    const std::string& key() const { return key_; }
    Report& report() const { return *report_; }
    Place place() const { return node_->place; }

    template <class T>
    const T* as() const {
        return std::get_if<T>(&node_->value);
    }
    // The string, or nullptr and a problem: another kind, or a NUL byte, which no system call
    // takes.
    const std::string* text(std::string_view expected) const;

    Value element(std::size_t index) const;
    Value member(const Member& member) const;
    // "restart.delay": as written in the file, if it was.
    std::optional<Value> get(std::string_view path) const;
    bool has(std::string_view path) const { return get(path).has_value(); }
    // Whether a fatal problem with this value, or with anything in it, was reported.
    bool broken() const;

    // All of these return false, for `return value.problem(...)`.
    bool problem(std::string what, std::string hint = {}) const;
    bool wrong_kind(std::string_view expected, std::string hint = {}) const;
    bool unknown(const Member& member, const std::vector<std::string_view>& known) const;

    void warning(std::string what, std::string hint = {}) const;

private:
    bool add(Place place, std::string key, std::string what, std::string hint, bool fatal) const;

    const Node* node_;
    std::string key_;
    Report* report_;
};

// Hands the keys of a table to their codecs (codec.hpp), by a list of fields (fields.hpp).
class TableReader {
public:
    explicit TableReader(Value table) : table_{std::move(table)} {}

    template <class T, class Codec>
    void operator()(std::string_view key, T& into, const Codec& codec) {
        if (const auto value = take(key)) fine_ = codec.read(*value, into) && fine_;
    }
    // The value of a key, which is known from now on; nullopt: the file does not have it.
    std::optional<Value> take(std::string_view key);
    // Reports every key that was not taken. True: no problem in any key.
    bool finish();

private:
    Value table_;
    std::vector<std::string_view> known_;
    bool fine_ = true;
};

// What to say of a key that is none of the known ones.
struct Advice {
    std::string what;  // "unknown key", "not supported yet"
    std::string hint;  // "did you mean `cpuset`?"
};
Advice advise(std::string_view key, const std::vector<std::string_view>& known);

// For messages: "`no`, `always` or `on-failure`".
std::string one_of(const std::vector<std::string_view>& names);

// The nearest of the names, if it is near enough to have been meant.
std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& names);

// "container" + "web" -> "container.web"; a key that TOML would have to quote is quoted.
std::string join_key(const std::string& parent, std::string_view key);

}  // namespace mydocker::config
