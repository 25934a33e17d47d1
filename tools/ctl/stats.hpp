// One container's statistics as a record to show: what mydockerd counted, and docker's texts for
// it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace mydocker::ctl {

// `container`: one of a tick's of GET /v1/stats. Adds "time" and docker's "cpu_perc", "mem_usage",
// "mem_perc" and "block_io" ("-" where there is no number); what is absent becomes null.
nlohmann::json stats_record(const nlohmann::json& container, const std::string& time);

}  // namespace mydocker::ctl
