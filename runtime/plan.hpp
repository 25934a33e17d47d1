// The init's work as data: a list of steps, decided here by a pure function, done by the switch in
// init/child.cpp. The bytes of encode() go down the pipe whose end releases the init.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/init/wire.hpp"
#include "runtime/root.hpp"
#include "runtime/spec.hpp"

namespace mydocker::runtime {

struct PlanStep {
    wire::Op op;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::uint64_t c = 0;
    std::vector<std::string> texts = {};
    bool operator==(const PlanStep&) const = default;
};

using Plan = std::vector<PlanStep>;

// `directories[i]`: whether the i-th bind mount of spec.mounts is of a directory. Mount descriptor
// 0 is the root, the i-th bind mount is i + 1. Mounts are made in the order of their targets,
// parents first.
// A terminal's devpts is the last of all.
Plan make_plan(const Spec& spec, const User& user, const std::vector<bool>& directories);

// Of a process that joins a running container (entry.hpp).
Plan make_entry_plan(const Process& process, const std::string& hostname, bool own_network,
                     bool terminal, const User& user);

// Throws std::system_error (E2BIG) beyond wire::max_plan_bytes.
std::string encode(const Plan& plan);

// "mount proc on /proc": the words before errno's text in a failure.
std::string describe(const PlanStep& step);

// Why the init stopped, from its report: the step's words and errno's text, and whether docker's
// exit code for it is 127 (not found), 126 (cannot execute) or 125 (anything before).
struct InitFailure {
    std::string text;
    int exit_code = 125;
};
// An empty plan is that of an attempt which an earlier mydockerd began.
InitFailure explain(const Plan& plan, const wire::StepFailure& failure, bool executing);

}  // namespace mydocker::runtime
