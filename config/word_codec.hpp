// Codecs for the values of host files that are small languages of their own: volumes, tmpfs,
// ulimits, capabilities, commands, environments, statuses. See codec.hpp. Private to config/.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/codec.hpp"

namespace mydocker::config {

// "SOURCE:TARGET[:ro|rw]".
struct VolumeWord {
    bool read(const Value& from, Volume& into) const;
    Node write(const Volume& value) const;
};

// "TARGET[:size=64m,mode=1777]".
struct TmpfsWord {
    bool read(const Value& from, Tmpfs& into) const;
    Node write(const Tmpfs& value) const;
};

// { nofile = "1024:2048", nproc = 100, core = "unlimited", memlock = { soft = 1, hard = 2 } }.
struct Ulimits {
    bool read(const Value& from, std::vector<Ulimit>& into) const;
    Node write(const std::vector<Ulimit>& values) const;
};

struct Capability {
    bool read(const Value& from, std::string& into) const;
    Node write(const std::string& value) const { return node_of(value); }
};

// An argument vector, or one string to be cut as a shell would. Not empty, unless `optional`.
struct Command {
    bool optional = false;
    bool read(const Value& from, std::vector<std::string>& into) const;
    Node write(const std::vector<std::string>& value) const;
};

// A table, or an array of "KEY=VALUE".
struct Environment {
    bool read(const Value& from, std::map<std::string, std::string>& into) const;
    Node write(const std::map<std::string, std::string>& value) const;
};

// An exit code by number or a signal by name.
struct StatusWord {
    bool read(const Value& from, Status& into) const;
    Node write(const Status& value) const;
};

// What is wrong with the name of an environment variable; "" if nothing is.
std::string bad_variable(std::string_view name);

}  // namespace mydocker::config
