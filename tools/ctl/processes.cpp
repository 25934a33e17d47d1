// See processes.hpp.
#include "tools/ctl/processes.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "tools/ctl/proc_file.hpp"

namespace mydocker::ctl {

using Json = nlohmann::json;

namespace {

// Fields after the command's name, which may hold spaces and parentheses: [0] is the state (3).
std::vector<std::string> fields_after_name(const std::string& stat) {
    std::vector<std::string> fields;
    const std::size_t close = stat.rfind(')');
    if (close == std::string::npos) return fields;
    std::istringstream rest(stat.substr(close + 1));
    for (std::string field; rest >> field;) fields.push_back(std::move(field));
    return fields;
}

std::vector<std::string> words_of(const std::string& status, const std::string& key) {
    std::vector<std::string> words;
    const std::size_t at = status.find("\n" + key + ":");
    if (at == std::string::npos) return words;
    const std::size_t begin = at + key.size() + 2;
    std::istringstream line(status.substr(begin, status.find('\n', begin) - begin));
    for (std::string word; line >> word;) words.push_back(std::move(word));
    return words;
}

double number(const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return end == text.c_str() ? 0 : value;
}

std::string user_name(long uid) {
    const passwd* entry = ::getpwuid(static_cast<uid_t>(uid));
    return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

}  // namespace

std::optional<Json> process_record(const ProcessFiles& files) {
    const auto fields = fields_after_name(files.stat);
    constexpr std::size_t utime = 11, stime = 12, threads = 17, start = 19, rss = 21;
    if (fields.size() <= rss) return std::nullopt;
    const double cpu = (number(fields[utime]) + number(fields[stime])) / files.hertz;
    const double age = std::max(files.uptime - number(fields[start]) / files.hertz, 0.01);
    const auto uids = words_of(files.status, "Uid");
    const auto pids = words_of(files.status, "NSpid");
    const auto memory = words_of(files.status, "VmRSS");
    std::string command = files.cmdline;
    while (command.ends_with('\0')) command.pop_back();
    std::ranges::replace(command, '\0', ' ');
    if (command.empty()) {  // a zombie has none; its name must do
        const std::size_t open = files.stat.find('(');
        command = '[' + files.stat.substr(open + 1, files.stat.rfind(')') - open - 1) + ']';
    }
    Json record = {{"pid", std::strtol(files.stat.c_str(), nullptr, 10)},
                   {"container_pid", nullptr},
                   {"uid", nullptr},
                   {"state", fields[0]},
                   {"threads", std::strtol(fields[threads].c_str(), nullptr, 10)},
                   {"cpu_percent", 100 * cpu / age},
                   {"cpu_ms", static_cast<std::int64_t>(cpu * 1000)},
                   {"memory", 0},
                   {"command", command}};
    if (!pids.empty()) record["container_pid"] = std::strtol(pids.back().c_str(), nullptr, 10);
    if (uids.size() > 1) record["uid"] = std::strtol(uids[1].c_str(), nullptr, 10);
    if (!memory.empty())
        record["memory"] = static_cast<std::int64_t>(number(memory.front())) * 1024;
    return record;
}

std::optional<Json> read_process(pid_t pid) {
    const std::string directory = "/proc/" + std::to_string(pid);
    auto record = process_record({.stat = proc_text(directory + "/stat"),
                                  .status = proc_text(directory + "/status"),
                                  .cmdline = proc_text(directory + "/cmdline"),
                                  .uptime = number(proc_text("/proc/uptime")),
                                  .hertz = static_cast<double>(::sysconf(_SC_CLK_TCK))});
    if (record)
        (*record)["user"] =
            (*record)["uid"].is_number() ? user_name((*record)["uid"].get<long>()) : "?";
    return record;
}

}  // namespace mydocker::ctl
