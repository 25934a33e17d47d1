// See counting.hpp.
#include "tests/system/counting.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/system/supervision.hpp"

namespace mydocker::tests {

std::string script(const std::string& name, const std::string& text, const std::string& keys) {
    return "[container." + name + "]\ncommand = [\"/bin/sh\", \"-c\", " + toml_string(text) +
           "]\nstop_grace_period = \"0s\"\n" + keys + "\n";
}

// "1", "2", …: none missing; a killed mydockerd may have written its last chunk twice.
void check_numbers(const Daemon& daemon, const std::string& container, int deaths) {
    const auto lines = [&] { return lines_of(daemon.ctl({"logs", container}).out); };
    BOOST_CHECK(eventually([&] { return lines().size() > 30; }));
    int last = 0;
    int repeats = 0;
    for (const std::string& line : lines()) {
        const int number = std::stoi(line);
        if (number <= last) ++repeats;
        BOOST_REQUIRE_MESSAGE(number <= last + 1, line << " comes after " << last);
        last = number;
    }
    BOOST_CHECK_LE(repeats, deaths);
}

std::string of_another_version(std::string container_json) {
    return container_json.replace(container_json.find("\"version\": 1"), 12, "\"version\": 9");
}

pid_t pid_of(const Daemon& daemon, const std::string& container) {
    return daemon.inspect(container).value("pid", -1);
}

}  // namespace mydocker::tests
