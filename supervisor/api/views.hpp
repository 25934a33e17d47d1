// What the control API shows of a container, an attempt, an event, the daemon: JSON objects, as
// protocol.hpp lists them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor::api {

nlohmann::json summary(const Container& container);
nlohmann::json inspection(const Supervisor& supervisor, const Container& container);
nlohmann::json explanation(const Container& container);
nlohmann::json show(const Attempt& attempt);
nlohmann::json show(const JournalEntry& entry);
nlohmann::json show(const std::vector<Change>& changes, bool applied);
nlohmann::json information(const Supervisor& supervisor);
nlohmann::json error_body(const Refusal& refusal);

// What `wait` answers: the exit code of an attempt (null: of none) as a shell would give it.
nlohmann::json outcome(const Container& container, const Attempt* attempt);

// Docker's code for the last attempt: the workload's, 128 + n for a signal, null where nothing ran.
std::optional<int> exit_code(const Attempt& attempt);

// Until its back-off ends; nullopt unless it waits.
std::optional<long long> next_start_ms(const Container& container);

}  // namespace mydocker::supervisor::api
