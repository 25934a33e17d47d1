// The names of signal(7) and capabilities(7) with Linux's numbers, as tables: the same on every
// host, whatever the C library this was compiled with knows.
#include <algorithm>
#include <array>

#include "config/scalar.hpp"

namespace mydocker::config {

namespace {

constexpr int first_real_time = 34;  // glibc and musl keep 32 and 33 to themselves
constexpr int last_signal = 64;

// Index: the number. Synonyms stand apart.
constexpr std::array<std::string_view, 32> signal_names{
    "",     "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};

struct Synonym {
    std::string_view name;
    int number;
};
constexpr std::array<Synonym, 4> signal_synonyms{
    {{"IOT", 6}, {"CLD", 17}, {"POLL", 29}, {"UNUSED", 31}}};

constexpr std::array<std::string_view, 42> capabilities{"ALL",
                                                        "AUDIT_CONTROL",
                                                        "AUDIT_READ",
                                                        "AUDIT_WRITE",
                                                        "BLOCK_SUSPEND",
                                                        "BPF",
                                                        "CHECKPOINT_RESTORE",
                                                        "CHOWN",
                                                        "DAC_OVERRIDE",
                                                        "DAC_READ_SEARCH",
                                                        "FOWNER",
                                                        "FSETID",
                                                        "IPC_LOCK",
                                                        "IPC_OWNER",
                                                        "KILL",
                                                        "LEASE",
                                                        "LINUX_IMMUTABLE",
                                                        "MAC_ADMIN",
                                                        "MAC_OVERRIDE",
                                                        "MKNOD",
                                                        "NET_ADMIN",
                                                        "NET_BIND_SERVICE",
                                                        "NET_BROADCAST",
                                                        "NET_RAW",
                                                        "PERFMON",
                                                        "SETFCAP",
                                                        "SETGID",
                                                        "SETPCAP",
                                                        "SETUID",
                                                        "SYSLOG",
                                                        "SYS_ADMIN",
                                                        "SYS_BOOT",
                                                        "SYS_CHROOT",
                                                        "SYS_MODULE",
                                                        "SYS_NICE",
                                                        "SYS_PACCT",
                                                        "SYS_PTRACE",
                                                        "SYS_RAWIO",
                                                        "SYS_RESOURCE",
                                                        "SYS_TIME",
                                                        "SYS_TTY_CONFIG",
                                                        "WAKE_ALARM"};

std::string upper(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

// A plain number of at most two digits, or -1.
int small_number(std::string_view text) {
    if (text.empty() || text.size() > 2) return -1;
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

bool is_signal(int number) {
    return (number >= 1 && number < 32) || (number >= first_real_time && number <= last_signal);
}

// "RTMIN", "RTMIN+3", "RTMAX-2".
std::optional<int> real_time_signal(std::string_view name) {
    const bool from_first = name.starts_with("RTMIN");
    if (!from_first && !name.starts_with("RTMAX")) return std::nullopt;
    const int start = from_first ? first_real_time : last_signal;
    name.remove_prefix(5);
    if (name.empty()) return start;
    if (name.front() != (from_first ? '+' : '-')) return std::nullopt;
    const int distance = small_number(name.substr(1));
    if (distance < 0) return std::nullopt;
    const int number = from_first ? start + distance : start - distance;
    return number >= first_real_time && number <= last_signal ? std::optional{number}
                                                              : std::nullopt;
}

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
    if (const int number = small_number(text); number >= 0) {
        return is_signal(number) ? std::optional{number} : std::nullopt;
    }
    std::string upper_text = upper(text);
    std::string_view name = upper_text;
    if (name.starts_with("SIG")) name.remove_prefix(3);
    if (name.empty()) return std::nullopt;
    if (const auto found = std::find(signal_names.begin(), signal_names.end(), name);
        found != signal_names.end()) {
        return static_cast<int>(found - signal_names.begin());
    }
    for (const Synonym& synonym : signal_synonyms) {
        if (synonym.name == name) return synonym.number;
    }
    return real_time_signal(name);
}

std::string signal_name(int number) {
    if (!is_signal(number)) return "signal " + std::to_string(number);
    if (number < 32) return "SIG" + std::string{signal_names[static_cast<std::size_t>(number)]};
    if (number == last_signal) return "SIGRTMAX";
    if (number == first_real_time) return "SIGRTMIN";
    return "SIGRTMIN+" + std::to_string(number - first_real_time);
}

std::optional<std::string> parse_capability(std::string_view text) {
    std::string name = upper(text);
    if (name.starts_with("CAP_")) name.erase(0, 4);
    if (std::find(capabilities.begin(), capabilities.end(), name) == capabilities.end()) {
        return std::nullopt;
    }
    return name;
}

}  // namespace mydocker::config
