// Codecs: how one kind of value stands in a host file. Each has
//   bool read(const Value& from, T& into) const;   false: a problem was reported, `into` is as
//   before Node write(const T& value) const;              what `read` takes back to the same value
// so that a list of fields (fields.hpp) serves reading and writing alike. Private to config/.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "config/host.hpp"
#include "config/reader.hpp"
#include "config/scalar.hpp"

namespace mydocker::config {

template <class T>
Node node_of(T value) {
    return Node{{}, std::move(value)};
}

struct Flag {
    bool read(const Value& from, bool& into) const;
    Node write(bool value) const { return node_of(value); }
};

// A string. The rule says what is wrong with one, "" if nothing is; `optional` lets "" pass.
struct Text {
    std::string (*rule)(std::string_view) = nullptr;
    bool optional = false;
    const char* expected = "a string";
    bool read(const Value& from, std::string& into) const;
    Node write(const std::string& value) const { return node_of(value); }
};

// A user or group may be given by number.
struct User {
    bool read(const Value& from, std::string& into) const;
    Node write(const std::string& value) const { return node_of(value); }
};

// "50m" or a number of bytes.
struct Size {
    Bytes least = 0;
    bool read(const Value& from, Bytes& into) const;
    Node write(Bytes value) const { return node_of(exact_size(value)); }
};

// The same, or -1 for unlimited.
struct SizeOrUnlimited {
    bool read(const Value& from, std::int64_t& into) const;
    Node write(std::int64_t value) const;
};

// "10s".
struct Time {
    Duration least{0};
    bool read(const Value& from, Duration& into) const;
    Node write(Duration value) const { return node_of(format_duration(value)); }
};

// In a range; `also` stands outside it, for the -1 that means unlimited.
struct Integer {
    std::int64_t least;
    std::int64_t most;
    std::optional<std::int64_t> also = std::nullopt;
    bool read_number(const Value& from, std::int64_t& into) const;
    template <class T>
    bool read(const Value& from, T& into) const {
        std::int64_t number = 0;
        if (!read_number(from, number)) return false;
        into = static_cast<T>(number);
        return true;
    }
    template <class T>
    Node write(const T& value) const {
        return node_of(static_cast<std::int64_t>(value));
    }
};

struct Real {
    double least;
    double most;
    bool read(const Value& from, double& into) const;
    Node write(double value) const { return node_of(value); }
};

// "SIGTERM" or 15.
struct SignalNumber {
    bool read(const Value& from, int& into) const;
    Node write(int value) const { return node_of(signal_name(value)); }
};

struct Cpuset {
    bool read(const Value& from, std::string& into) const;
    Node write(const std::string& value) const { return node_of(value); }
};

// Absent stays nullopt.
template <class Codec>
struct Maybe {
    Codec codec;
    template <class T>
    bool read(const Value& from, std::optional<T>& into) const {
        T value{};
        if (!codec.read(from, value)) return false;
        into = value;
        return true;
    }
    template <class T>
    std::optional<Node> write(const std::optional<T>& value) const {
        if (!value) return std::nullopt;
        return codec.write(*value);
    }
};

// An array. Good elements are kept beside bad ones, so that later checks have something to look at.
template <class Codec>
struct List {
    Codec codec;
    const char* expected;
    template <class T>
    bool read(const Value& from, std::vector<T>& into) const {
        const auto* array = from.as<Node::Array>();
        if (array == nullptr) {
            return from.wrong_kind(expected,
                                   from.as<std::string>() != nullptr ? "write it as [\"…\"]" : "");
        }
        bool fine = true;
        into.clear();
        for (std::size_t index = 0; index < array->size(); ++index) {
            T value{};
            if (codec.read(from.element(index), value)) {
                into.push_back(std::move(value));
            } else {
                fine = false;
            }
        }
        return fine;
    }
    template <class T>
    Node write(const std::vector<T>& values) const {
        Node::Array array;
        for (const T& value : values) array.push_back(codec.write(value));
        return node_of(std::move(array));
    }
};

template <class E>
struct Named {
    std::string_view name;
    E value;
};

// One of a few words. `later`: words of interface.md that come with another issue.
template <class E>
struct Choice {
    std::vector<Named<E>> words;
    std::vector<std::string_view> later = {};

    bool read(const Value& from, E& into) const {
        std::vector<std::string_view> names;
        for (const Named<E>& word : words) names.push_back(word.name);
        const auto* text = from.text(one_of(names));
        if (text == nullptr) return false;
        for (const Named<E>& word : words) {
            if (word.name != *text) continue;
            into = word.value;
            return true;
        }
        if (std::find(later.begin(), later.end(), *text) != later.end()) {
            return from.problem(in_quotes(*text) + " is not supported yet");
        }
        const auto meant = nearest(*text, names);
        return from.problem("expected " + one_of(names) + ", got " + in_quotes(*text),
                            meant ? "did you mean \"" + std::string{*meant} + "\"?" : "");
    }
    Node write(E value) const {
        for (const Named<E>& word : words) {
            if (word.value == value) return node_of(std::string{word.name});
        }
        return node_of(Foreign{"nothing"});
    }
};

// Rules for Text.
std::string absolute_path(std::string_view text);
std::string root_directory(std::string_view text);  // absolute, and not the host's own root
std::string socket_path(std::string_view text);     // absolute, and short enough for an address
std::string host_name(std::string_view text);

}  // namespace mydocker::config
