// An attempt as JSON, and a record of the ledger: a concluded attempt, and what the policy
// remembers after it. Wall times are nanoseconds since the epoch, monotonic ones nanoseconds of
// the boot they were taken in, durations microseconds. What is empty is left out.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "supervisor/attempt.hpp"
#include "supervisor/foreign_version.hpp"

namespace mydocker::supervisor {

inline constexpr int record_version = 1;
// A window that allows more restarts than these forgets the oldest when mydockerd starts anew.
inline constexpr std::size_t restarts_kept = 256;

struct Record {
    Attempt attempt;  // ended and judged
    History history;  // after its judgement
};

// One line, of at most 64 KiB; throws std::logic_error for an attempt that has not been judged.
std::string encode(const Record& record);
// Throws ForeignVersion, or another std::exception that says what is wrong with it.
Record decode_record(std::string_view text);

// `judged` is not written: it is true where there is a verdict.
nlohmann::json as_json(const Attempt& attempt);
Attempt attempt_from(const nlohmann::json& object);
nlohmann::json as_json(const History& history);
History history_from(const nlohmann::json& object);

}  // namespace mydocker::supervisor
