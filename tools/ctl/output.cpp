// See output.hpp.
#include "tools/ctl/output.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "tools/ctl/template.hpp"

namespace mydocker::ctl {

using Json = nlohmann::json;

std::string compact(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string counts_text(const Json& counts) {
    std::string text;
    if (!counts.is_object()) return text;
    for (const auto& [name, number] : counts.items()) {
        text += (text.empty() ? "" : ", ") + compact(number) + ' ' + name;
    }
    return text;
}

std::string text_of(const Json& record, std::string_view key) {
    const auto it = record.find(key);
    if (it == record.end() || it->is_null()) return {};
    return it->is_string() ? it->get<std::string>() : compact(*it);
}

std::int64_t number_of(const Json& record, std::string_view key, std::int64_t otherwise) {
    const auto it = record.find(key);
    return it != record.end() && it->is_number() ? it->get<std::int64_t>() : otherwise;
}

bool show_formatted(const Output& output, const Json& record) {
    if (output.wants_table()) return false;
    const std::string line =
        output.format == "json" ? compact(record) : Template(output.format).render(record);
    write_out(line + '\n');
    return true;
}

std::string table_text(const Output& output, const std::vector<Json>& records,
                       const std::vector<Column>& columns) {
    std::vector<TableColumn> headers;
    std::vector<std::vector<Cell>> rows;
    for (const Column& column : columns) headers.push_back(column.column);
    for (const Json& record : records) {
        rows.emplace_back();
        for (const Column& column : columns) rows.back().push_back(column.cell(record, output));
    }
    return format_table(headers, rows, output.terminal);
}

void show_records(const Output& output, const std::vector<Json>& records,
                  const std::vector<Column>& columns) {
    if (output.wants_table()) return write_out(table_text(output, records, columns));
    std::vector<TableColumn> headers;
    std::vector<std::vector<Cell>> rows;
    std::string text;
    if (output.format == "json") {
        for (const Json& record : records) text += compact(record) + '\n';
        return write_out(text);
    }
    constexpr std::string_view as_table = "table ";
    if (!output.format.starts_with(as_table)) {
        const Template line(output.format);
        for (const Json& record : records) text += line.render(record) + '\n';
        return write_out(text);
    }
    // Docker's "table {{.Name}}\t{{.State}}": the tabs are the columns.
    const Template line(std::string_view(output.format).substr(as_table.size()));
    const auto cells = [](const std::string& tabbed) {
        std::vector<std::string> parts(1);
        for (const char c : tabbed) {
            if (c == '\t') {
                parts.emplace_back();
            } else {
                parts.back() += c;
            }
        }
        return parts;
    };
    for (const std::string& heading : cells(line.heading())) headers.push_back({heading, true});
    for (const Json& record : records) {
        rows.emplace_back();
        for (std::string& cell : cells(line.render(record))) {
            rows.back().push_back({std::move(cell)});
        }
        rows.back().resize(headers.size());
    }
    write_out(format_table(headers, rows, output.terminal));
}

}  // namespace mydocker::ctl
