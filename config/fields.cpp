// The two keys with a short and a long form.
#include "config/fields.hpp"

namespace mydocker::config {

namespace {

const Choice<Autostart> autostart_choice{{{"yes", Autostart::yes},
                                          {"no", Autostart::no},
                                          {"unless-stopped", Autostart::unless_stopped}}};

}  // namespace

bool AutostartWord::read(const Value& from, Autostart& into) const {
    if (const bool* flag = from.as<bool>()) {
        into = *flag ? Autostart::yes : Autostart::no;
        return true;
    }
    return autostart_choice.read(from, into);
}

Node AutostartWord::write(Autostart value) const { return autostart_choice.write(value); }

bool RestartWord::read(const Value& from, Restart& into) const {
    if (from.as<Node::Table>() != nullptr) return Section<RestartFields>{}.read(from, into);
    const auto* text = from.as<std::string>();
    if (text == nullptr) {
        return from.wrong_kind("a policy such as \"on-failure:5\", or a table",
                               from.as<bool>() != nullptr ? R"(write "no" or "always")" : "");
    }
    const std::size_t colon = text->find(':');
    const Node word{from.place(), text->substr(0, colon)};
    if (!policy_choice.read(Value{word, from.key(), from.report()}, into.policy)) return false;
    if (colon == std::string::npos) return true;
    if (into.policy != Policy::on_failure) {
        return from.problem("only \"on-failure\" takes a count, got " + in_quotes(*text),
                            "use the table's `attempts`");
    }
    const std::string count = text->substr(colon + 1);
    if (count.empty() || count.size() > 6 ||
        count.find_first_not_of("0123456789") != std::string::npos) {
        return from.problem("expected a count after \"on-failure:\", got " + in_quotes(*text));
    }
    into.attempts = static_cast<unsigned>(std::stoul(count));
    return true;
}

}  // namespace mydocker::config
