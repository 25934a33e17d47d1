// What to say of a key that does not exist: it comes later, it has another name here, or it is a
// slip of the keyboard. The names other tools use are data, below.
#include <algorithm>
#include <array>
#include <numeric>

#include "config/fields.hpp"
#include "config/reader.hpp"

namespace mydocker::config {

namespace {

struct Entry {
    std::string_view key;  // folded: lower case, _ for -
    std::string_view meaning;
};

// Keys of Docker, Compose, systemd and supervisord, and ours.
constexpr std::array synonyms{
    Entry{"args", "command"},
    Entry{"auto_start", "autostart"},
    Entry{"autorestart", "restart"},
    Entry{"binds", "volumes"},
    Entry{"capabilities", "cap_add"},
    Entry{"capadd", "cap_add"},
    Entry{"capdrop", "cap_drop"},
    Entry{"cmd", "command"},
    Entry{"cpu", "cpus"},
    Entry{"cpu_limit", "cpus"},
    Entry{"cpu_quota", "cpus"},
    Entry{"cpu_set", "cpuset"},
    Entry{"cpu_share", "cpu_shares"},
    Entry{"cpu_weight", "cpu_shares"},
    Entry{"cpus_allowed", "cpuset"},
    Entry{"cpuset_cpus", "cpuset"},
    Entry{"cpushare", "cpu_shares"},
    Entry{"cwd", "working_dir"},
    Entry{"directory", "working_dir"},
    Entry{"env", "environment"},
    Entry{"environment_file", "env_file"},
    Entry{"exec", "command"},
    Entry{"execstart", "command"},
    Entry{"host_name", "hostname"},
    Entry{"host_network", "network"},
    Entry{"kill_signal", "stop_signal"},
    Entry{"killsignal", "stop_signal"},
    Entry{"log", "logging"},
    Entry{"log_opt", "logging"},
    Entry{"logs", "logging"},
    Entry{"mem", "mem_limit"},
    Entry{"mem_max", "mem_limit"},
    Entry{"mem_reservation", "mem_high"},
    Entry{"mem_swap", "memswap_limit"},
    Entry{"memory", "mem_limit"},
    Entry{"memory_high", "mem_high"},
    Entry{"memory_limit", "mem_limit"},
    Entry{"memory_max", "mem_limit"},
    Entry{"memory_swap", "memswap_limit"},
    Entry{"memorymax", "mem_limit"},
    Entry{"mounts", "volumes"},
    Entry{"net", "network"},
    Entry{"network_mode", "network"},
    Entry{"numprocs", "pids_limit"},
    Entry{"oom_score", "oom_score_adj"},
    Entry{"oomscoreadjust", "oom_score_adj"},
    Entry{"pids", "pids_limit"},
    Entry{"pids_max", "pids_limit"},
    Entry{"ram", "mem_limit"},
    Entry{"restart_policy", "restart"},
    Entry{"root", "rootfs"},
    Entry{"rootdirectory", "rootfs"},
    Entry{"startsecs", "start_timeout"},
    Entry{"stop_timeout", "stop_grace_period"},
    Entry{"stopsignal", "stop_signal"},
    Entry{"stopwaitsecs", "stop_grace_period"},
    Entry{"swap", "memswap_limit"},
    Entry{"tasks_max", "pids_limit"},
    Entry{"timeoutstopsec", "stop_grace_period"},
    Entry{"volume", "volumes"},
    Entry{"workdir", "working_dir"},
    Entry{"workingdir", "working_dir"},
    Entry{"workingdirectory", "working_dir"},
    // in [container.NAME.restart]
    Entry{"backoff", "multiplier"},
    Entry{"burst", "attempts"},
    Entry{"condition", "policy"},
    Entry{"exitcodes", "success_exit_codes"},
    Entry{"max_attempts", "attempts"},
    Entry{"max_retries", "attempts"},
    Entry{"restartsec", "delay"},
    Entry{"retries", "attempts"},
    Entry{"startlimitburst", "attempts"},
    Entry{"startlimitintervalsec", "interval"},
    Entry{"startretries", "attempts"},
    Entry{"window", "interval"},
    // in [container.NAME.logging]
    Entry{"max_file", "max_files"},
    Entry{"size", "max_size"},
    // in [daemon]
    Entry{"data_dir", "data_root"},
    Entry{"exec_root", "state_dir"},
    Entry{"host", "socket"},
    Entry{"hosts", "socket"},
    Entry{"runtime_dir", "state_dir"},
    Entry{"state_root", "state_dir"},
    // at the top
    Entry{"containers", "container"},
    Entry{"includes", "include"},
    Entry{"program", "container"},
    Entry{"service", "container"},
    Entry{"services", "container"},
};

// Known, and to come; what to do until then.
constexpr std::array later{
    Entry{"cgroup", ""},
    Entry{"configs", "mount the file with `volumes`"},
    Entry{"depends_on", ""},
    Entry{"devices", ""},
    Entry{"dns", "mount a resolv.conf with `volumes`"},
    Entry{"expose", ""},
    Entry{"extra_hosts", "mount a hosts file with `volumes`"},
    Entry{"healthcheck", ""},
    Entry{"image", "use `rootfs`, or neither for the host's root, copy-on-write"},
    Entry{"labels", ""},
    Entry{"networks", "`network` is \"none\" or \"host\""},
    Entry{"notify", ""},
    Entry{"ports", "use `network = \"host\"`"},
    Entry{"secrets", "mount the file with `volumes`"},
    Entry{"security_opt", ""},
    Entry{"sysctls", ""},
    Entry{"userns", ""},
    Entry{"userns_mode", ""},
};

// Not wanted here; what to do instead.
constexpr std::array instead{
    Entry{"build", "mydocker builds no images: use `rootfs`"},
    Entry{"container_name", "the name stands in the table's: [container.NAME]"},
    Entry{"entrypoint", "put it in front of `command`"},
    Entry{"name", "the name stands in the table's: [container.NAME]"},
};

std::string folded(std::string_view key) {
    std::string out{key};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '-') c = '_';
    }
    return out;
}

template <class Entries>
std::optional<std::string_view> look_up(const Entries& entries, std::string_view key) {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& entry) { return entry.key == key; });
    return found == entries.end() ? std::nullopt : std::optional{found->meaning};
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Levenshtein's distance, a swap of neighbours counting once.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        const std::vector<std::string_view>& names) {
    constexpr std::size_t longest_word = 40;
    if (word.size() > longest_word) return std::nullopt;
    const std::string wanted = folded(word);
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view name : names) {
        const std::size_t each = distance(wanted, folded(name));
        if (each < best_distance) {
            best = name;
            best_distance = each;
        }
    }
    return best;
}

std::string one_of(const std::vector<std::string_view>& names) {
    std::string out;
    for (std::size_t index = 0; index < names.size(); ++index) {
        if (index > 0) out += index + 1 == names.size() ? " or " : ", ";
        out += '"' + std::string{names[index]} + '"';
    }
    return out;
}

Advice advise(std::string_view key, const std::vector<std::string_view>& known) {
    const auto did_you_mean = [](std::string_view name) {
        return Advice{"unknown key", "did you mean `" + std::string{name} + "`?"};
    };
    const std::string name = folded(key);
    if (const auto meaning = look_up(synonyms, name); meaning && contains(known, *meaning)) {
        return did_you_mean(*meaning);
    }
    // These are keys of containers; elsewhere such a word is just unknown.
    const bool in_container = contains(known, "command");
    if (in_container) {
        if (const auto meanwhile = look_up(later, name)) {
            return {"not supported yet", std::string{*meanwhile}};
        }
        if (const auto remark = look_up(instead, name)) {
            return {"unknown key", std::string{*remark}};
        }
    }
    // In TOML a key after [container.web.restart] belongs to that table, whatever its indentation.
    if (in_container && contains(names_of<RestartFields, Restart>(), key)) {
        return {"unknown key", "it belongs in the container's `restart` table"};
    }
    if (contains(names_of<ContainerFields, Container>(), key)) {
        return {"unknown key", "it belongs in [container.NAME], above that container's sub-tables"};
    }
    if (const auto meant = nearest(key, known)) return did_you_mean(*meant);
    return {"unknown key", ""};
}

}  // namespace mydocker::config
