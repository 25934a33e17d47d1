// Key paths and the places of problems.
#include "config/reader.hpp"

#include <algorithm>

namespace mydocker::config {

std::string join_key(const std::string& parent, std::string_view key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
    return (parent.empty() ? "" : parent + '.') + (bare ? std::string{key} : in_quotes(key));
}

const std::string* Value::text(std::string_view expected) const {
    const auto* text = as<std::string>();
    if (text == nullptr) {
        wrong_kind(expected);
    } else if (text->find('\0') != std::string::npos) {
        problem("contains a NUL byte");
        text = nullptr;
    }
    return text;
}

Value Value::element(std::size_t index) const {
    return {(*as<Node::Array>())[index], key_ + '[' + std::to_string(index) + ']', *report_};
}

Value Value::member(const Member& member) const {
    return {member.value, join_key(key_, member.key), *report_};
}

std::optional<Value> Value::get(std::string_view path) const {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const Member* found = find(*node_, path.substr(0, dot));
    if (found == nullptr) return std::nullopt;
    if (dot == path.size()) return member(*found);
    return member(*found).get(path.substr(dot + 1));
}

bool Value::broken() const {
    return std::any_of(
        report_->problems.begin(), report_->problems.end(), [&](const Problem& each) {
            const std::string_view key = each.key;
            return each.fatal && each.file == report_->file && key.starts_with(key_) &&
                   (key.size() == key_.size() || key[key_.size()] == '.' ||
                    key[key_.size()] == '[');
        });
}

bool Value::add(Place place, std::string key, std::string what, std::string hint,
                bool fatal) const {
    report_->problems.push_back({report_->file, place.line, place.column, std::move(key),
                                 std::move(what), std::move(hint), fatal});
    return false;
}

bool Value::problem(std::string what, std::string hint) const {
    return add(place(), key_, std::move(what), std::move(hint), true);
}

void Value::warning(std::string what, std::string hint) const {
    add(place(), key_, std::move(what), std::move(hint), false);
}

bool Value::wrong_kind(std::string_view expected, std::string hint) const {
    return problem("expected " + std::string{expected} + ", got " + std::string{kind_of(*node_)},
                   std::move(hint));
}

bool Value::unknown(const Member& member, const std::vector<std::string_view>& known) const {
    Advice advice = advise(member.key, known);
    return add(member.place, join_key(key_, member.key), std::move(advice.what),
               std::move(advice.hint), true);
}

std::optional<Value> TableReader::take(std::string_view key) {
    known_.push_back(key);
    return table_.get(key);
}

bool TableReader::finish() {
    for (const Member& member : *table_.as<Node::Table>()) {
        if (std::find(known_.begin(), known_.end(), member.key) == known_.end()) {
            fine_ = table_.unknown(member, known_);
        }
    }
    return fine_;
}

}  // namespace mydocker::config
