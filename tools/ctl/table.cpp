// See table.hpp.
#include "tools/ctl/table.hpp"

#include <algorithm>
#include <numeric>

namespace mydocker::ctl {

namespace {

constexpr std::size_t gap = 3;  // as docker's tables
constexpr std::size_t narrowest = 8;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

void shrink(std::vector<std::size_t>& widths, const std::vector<TableColumn>& columns,
            std::size_t limit) {
    std::size_t total = std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
    while (total > limit) {
        std::size_t* widest = nullptr;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::size_t least = std::max(narrowest, display_width(columns[i].header));
            if (!columns[i].elastic || widths[i] <= least) continue;
            if (widest == nullptr || widths[i] > *widest) widest = &widths[i];
        }
        if (widest == nullptr) return;
        --*widest;
        --total;
    }
}

}  // namespace

std::size_t display_width(std::string_view text) {
    return text.size() -
           static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

std::string cut(const std::string& text, std::size_t width) {
    if (display_width(text) <= width) return text;
    std::size_t end = 0;
    for (std::size_t kept = 0; kept < width; ++kept) {
        if (kept + 1 == width) break;
        ++end;
        while (end < text.size() && continues_character(text[end])) ++end;
    }
    return text.substr(0, end) + "…";
}

std::string format_table(const std::vector<TableColumn>& columns,
                         const std::vector<std::vector<Cell>>& rows, const Terminal& terminal) {
    std::vector<std::vector<Cell>> lines(1);
    for (const TableColumn& column : columns) lines[0].push_back({column.header, Colour::bold});
    for (const std::vector<Cell>& row : rows) {
        lines.emplace_back();
        for (const Cell& cell : row) lines.back().push_back({printable(cell.text), cell.colour});
    }
    std::vector<std::size_t> widths(columns.size());
    for (const std::vector<Cell>& line : lines) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(line[i].text));
        }
    }
    if (terminal.width > 0) shrink(widths, columns, terminal.width);
    std::string table;
    for (const std::vector<Cell>& line : lines) {
        std::string padding;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string text = cut(line[i].text, widths[i]);
            if (text.empty()) {
                padding.append(widths[i] + gap, ' ');
                continue;
            }
            table += padding + paint(text, line[i].colour, terminal);
            padding.assign(widths[i] - display_width(text) + gap, ' ');
        }
        table += '\n';
    }
    return table;
}

}  // namespace mydocker::ctl
