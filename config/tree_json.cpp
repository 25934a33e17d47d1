// The control API's JSON into the same tree as host files, and a tree back into JSON. Parsed event
// by event, so that depth and duplicate keys are seen before any memory is spent on them.
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "config/tree.hpp"

namespace mydocker::config {

namespace {

// nlohmann's SAX interface; a handler that returns false ends the parse. The names are the
// library's.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit TreeBuilder(std::vector<Problem>& problems) : problems_{problems} {}

    std::optional<Node> take() { return std::move(root_); }

    bool null() override { return add(Foreign{"null"}); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(std::int64_t{value}); }
    bool number_unsigned(number_unsigned_t value) override {
        constexpr auto most = number_unsigned_t{std::numeric_limits<std::int64_t>::max()};
        return value <= most ? add(static_cast<std::int64_t>(value))
                             : add(static_cast<double>(value));
    }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return refuse("binary data"); }
    bool start_object(std::size_t) override { return open(Node::Table{}); }
    bool start_array(std::size_t) override { return open(Node::Array{}); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        if (!seen_.back().insert(name).second) {
            return refuse("the key " + in_quotes(name) + " stands twice in one object");
        }
        keys_.back() = std::move(name);
        return true;
    }
    bool parse_error(std::size_t byte, const std::string&,
                     const nlohmann::detail::exception& error) override {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while …"
        const std::string_view what = error.what();
        const std::size_t start = what.find("] ");
        return refuse("not JSON, at byte " + std::to_string(byte),
                      std::string{start == what.npos ? what : what.substr(start + 2)});
    }

private:
    template <class T>
    bool add(T&& value) {
        return place(Node{{}, std::forward<T>(value)});
    }

    bool place(Node node) {
        if (open_.empty()) {
            root_ = std::move(node);
        } else if (auto* table = std::get_if<Node::Table>(&open_.back().value)) {
            table->push_back({std::move(keys_.back()), {}, std::move(node)});
        } else {
            std::get<Node::Array>(open_.back().value).push_back(std::move(node));
        }
        return true;
    }

    template <class Children>
    bool open(Children children) {
        if (open_.size() == most_levels) {
            return refuse("nested deeper than " + std::to_string(most_levels) + " levels");
        }
        open_.push_back(Node{{}, std::move(children)});
        keys_.emplace_back();
        seen_.emplace_back();
        return true;
    }

    bool close() {
        Node done = std::move(open_.back());
        open_.pop_back();
        keys_.pop_back();
        seen_.pop_back();
        return place(std::move(done));
    }

    bool refuse(std::string what, std::string hint = {}) {
        problems_.push_back({"", 0, 0, "", std::move(what), std::move(hint)});
        return false;
    }

    std::vector<Problem>& problems_;
    std::optional<Node> root_;
    std::vector<Node> open_;                             // from the root down
    std::vector<std::string> keys_;                      // the current key of each of open_
    std::vector<std::unordered_set<std::string>> seen_;  // and all of its keys so far
};

nlohmann::ordered_json convert(const Node& node) {
    struct {
        nlohmann::ordered_json operator()(const Foreign&) const { return nullptr; }
        nlohmann::ordered_json operator()(bool value) const { return value; }
        nlohmann::ordered_json operator()(std::int64_t value) const { return value; }
        nlohmann::ordered_json operator()(double value) const { return value; }
        nlohmann::ordered_json operator()(const std::string& value) const { return value; }
        nlohmann::ordered_json operator()(const Node::Array& values) const {
            auto array = nlohmann::ordered_json::array();
            for (const Node& value : values) array.push_back(convert(value));
            return array;
        }
        nlohmann::ordered_json operator()(const Node::Table& members) const {
            auto object = nlohmann::ordered_json::object();
            for (const auto& [key, place, value] : members) object.push_back({key, convert(value)});
            return object;
        }
    } to_json;
    return std::visit(to_json, node.value);
}

}  // namespace

std::optional<Node> parse_json(std::string_view text, std::vector<Problem>& problems) {
    const auto refuse = [&](std::string what) {
        problems.push_back({"", 0, 0, "", std::move(what), ""});
        return std::nullopt;
    };
    if (text.size() > most_json_bytes) return refuse("larger than 8 MiB");
    TreeBuilder builder{problems};
    if (!nlohmann::json::sax_parse(text, &builder)) return std::nullopt;
    std::optional<Node> root = builder.take();
    if (!root || !std::holds_alternative<Node::Table>(root->value)) {
        return refuse("expected a JSON object, got " +
                      std::string{root ? kind_of(*root) : "nothing"});
    }
    return root;
}

std::string to_json(const Node& node, bool pretty) { return convert(node).dump(pretty ? 2 : -1); }

}  // namespace mydocker::config
