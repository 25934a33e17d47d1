// `--format '{{.Name}}\t{{json .Command}}'`: the part of Go's templates that people use with
// docker: fields, json, upper, lower and len of them, and {{"text"}}. A field is a JSON key (letter
// case and underscores do not matter), a dotted path goes deeper.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace mydocker::ctl {

class Template {
public:
    // Throws UsageError for what is no template, naming the place. "\t" and "\n" are understood.
    explicit Template(std::string_view text);

    // Throws UsageError for a field that `record` does not have, with the fields it has.
    std::string render(const nlohmann::json& record) const;
    // "NAME\tSTATE": the template with each field replaced by its own name, as a heading.
    std::string heading() const;

private:
    struct Part {
        std::string literal = {};            // or, where this is empty:
        std::vector<std::string> path = {};  // {} stands for the whole record
        enum class Form : std::uint8_t { plain, json, upper, lower, length } form = Form::plain;
        bool is_field = false;
    };
    static std::string form(const nlohmann::json& value, Part::Form form);

    std::vector<Part> parts_;
};

}  // namespace mydocker::ctl
