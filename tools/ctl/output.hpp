// How results are shown: a table for people, JSON or a template for programs, after the global
// options. Commands describe columns as data; they do not lay anything out.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/table.hpp"
#include "tools/ctl/times.hpp"

namespace mydocker::ctl {

struct Output {
    std::string format;  // "" or "table", "json", "TEMPLATE", "table TEMPLATE"
    bool quiet = false;
    bool no_trunc = false;
    Terminal terminal = {};
    Time now = {};

    bool wants_table() const { return format.empty() || format == "table"; }
};

struct Column {
    TableColumn column;
    std::function<Cell(const nlohmann::json& record, const Output& output)> cell;
};

// A list of records: a table, one JSON object a line, or the template once a record.
void show_records(const Output& output, const std::vector<nlohmann::json>& records,
                  const std::vector<Column>& columns);

// The table alone, as text.
std::string table_text(const Output& output, const std::vector<nlohmann::json>& records,
                       const std::vector<Column>& columns);

// One record by --format json or a template; false where a table is wanted, which is the caller's.
bool show_formatted(const Output& output, const nlohmann::json& record);

// A field as text: "" where it is absent or null, JSON where it is no string.
std::string text_of(const nlohmann::json& record, std::string_view key);
std::int64_t number_of(const nlohmann::json& record, std::string_view key, std::int64_t otherwise);

// {"running": 2, "total": 3} as "2 running, 3 total".
std::string counts_text(const nlohmann::json& counts);

// JSON on one line; bytes that are not UTF-8 are replaced instead of throwing.
std::string compact(const nlohmann::json& value);

}  // namespace mydocker::ctl
