// What `wait` answers, read in one place for `wait` and `run`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace mydocker::ctl {

struct WaitResult {
    int exit_code = 0;    // the workload's; 125 to 127 where none ever ran
    std::string failure;  // why nothing ran; empty: it did
};

WaitResult read_wait_result(const nlohmann::json& answer);

}  // namespace mydocker::ctl
