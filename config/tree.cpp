// Looking at the tree that TOML and JSON share.
#include "config/tree.hpp"

#include <algorithm>

namespace mydocker::config {

std::string_view kind_of(const Node& node) {
    struct {
        std::string_view operator()(const Foreign& foreign) const { return foreign.kind; }
        std::string_view operator()(bool) const { return "a boolean"; }
        std::string_view operator()(std::int64_t) const { return "an integer"; }
        std::string_view operator()(double) const { return "a float"; }
        std::string_view operator()(const std::string&) const { return "a string"; }
        std::string_view operator()(const Node::Array&) const { return "an array"; }
        std::string_view operator()(const Node::Table&) const { return "a table"; }
    } name;
    return std::visit(name, node.value);
}

const Member* find(const Node& table, std::string_view key) {
    const auto* members = std::get_if<Node::Table>(&table.value);
    if (members == nullptr) return nullptr;
    const auto found = std::find_if(members->begin(), members->end(),
                                    [&](const Member& member) { return member.key == key; });
    return found == members->end() ? nullptr : &*found;
}

}  // namespace mydocker::config
