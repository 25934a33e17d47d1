// The keys of host files, once: name, member, codec. Reading, writing and the hints for misspelt
// keys all walk these lists, so that a key cannot be read and not shown, or shown and not read.
// A field list is called with a visitor `field(name, member, codec)`. Private to config/.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "config/codec.hpp"
#include "config/host.hpp"
#include "config/word_codec.hpp"

namespace mydocker::config {

struct TableWriter {
    Node::Table table;

    template <class T, class Codec>
    void operator()(std::string_view key, const T& value, const Codec& codec) {
        std::optional<Node> node = codec.write(value);
        if (node) table.push_back({std::string{key}, {}, std::move(*node)});
    }
};

// A table of its own, read and written by its list of fields.
template <class Fields>
struct Section {
    template <class T>
    bool read(const Value& from, T& into) const {
        if (from.as<Node::Table>() == nullptr) return from.wrong_kind("a table");
        TableReader reader{from};
        Fields{}(reader, into);
        return reader.finish();
    }
    template <class T>
    Node write(const T& value) const {
        TableWriter writer;
        Fields{}(writer, value);
        return node_of(std::move(writer.table));
    }
};

inline const Choice<Policy> policy_choice{{{"no", Policy::no},
                                           {"always", Policy::always},
                                           {"unless-stopped", Policy::unless_stopped},
                                           {"on-failure", Policy::on_failure},
                                           {"on-success", Policy::on_success},
                                           {"on-abnormal", Policy::on_abnormal}}};

inline const Choice<Cause> cause_choice{{{"exit", Cause::exit},
                                         {"signal", Cause::signal},
                                         {"oom", Cause::oom},
                                         {"start-error", Cause::start_error},
                                         {"start-timeout", Cause::start_timeout}},
                                        {"unhealthy", "watchdog"}};

inline const Choice<OnLimit> on_limit_choice{
    {{"fail", OnLimit::fail}, {"delay", OnLimit::delay}, {"shutdown", OnLimit::shutdown}}};

inline const Choice<OomPolicy> oom_choice{
    {{"continue", OomPolicy::keep_going}, {"stop", OomPolicy::stop}, {"kill", OomPolicy::kill}}};

inline const Choice<Network> network_choice{{{"none", Network::none}, {"host", Network::host}},
                                            {"bridge"}};

inline const Choice<LimitsMode> limits_choice{
    {{"required", LimitsMode::required}, {"best-effort", LimitsMode::best_effort}}};

// "yes", "no", "unless-stopped", or TOML's booleans.
struct AutostartWord {
    bool read(const Value& from, Autostart& into) const;
    Node write(Autostart value) const;
};

struct RestartFields {
    template <class Visit, class T>
    void operator()(Visit& field, T& restart) const {
        constexpr std::int64_t most_attempts = 1'000'000;
        const List<StatusWord> statuses{{}, "an array of exit codes and signals"};
        field("policy", restart.policy, policy_choice);
        field("on", restart.on, List<Choice<Cause>>{cause_choice, "an array of causes"});
        field("delay", restart.delay, Time{});
        field("multiplier", restart.multiplier, Real{1, 1000});
        field("max_delay", restart.max_delay, Time{});
        field("jitter", restart.jitter, Real{0, 1});
        field("reset_after", restart.reset_after, Time{});
        field("attempts", restart.attempts, Integer{0, most_attempts});
        field("interval", restart.interval, Time{});
        field("on_limit", restart.on_limit, on_limit_choice);
        field("success_exit_codes", restart.success_exit_codes,
              List<Integer>{Integer{0, 255}, "an array of exit codes"});
        field("prevent_on", restart.prevent_on, statuses);
        field("force_on", restart.force_on, statuses);
        field("on_failure", restart.on_failure, Command{true});
        field("prearm", restart.prearm, Flag{});
    }
};

// The table of RestartFields, or the short form: "always", "on-failure:5".
struct RestartWord {
    bool read(const Value& from, Restart& into) const;
    Node write(const Restart& value) const { return Section<RestartFields>{}.write(value); }
};

struct LoggingFields {
    template <class Visit, class T>
    void operator()(Visit& field, T& logging) const {
        field("max_size", logging.max_size, Size{4096});
        field("max_files", logging.max_files, Integer{1, 1000});
    }
};

// Without `env_file`, whose lines are part of `environment` once it is read.
struct ContainerFields {
    template <class Visit, class T>
    void operator()(Visit& field, T& container) const {
        // Less is a slip ("512" for "512m"): no program gets as far as its main() with it.
        constexpr Bytes least_memory = Bytes{1} << 20U;
        constexpr std::int64_t most_pids = 4'194'304;  // PID_MAX_LIMIT
        const List<Capability> capabilities{{}, "an array of capabilities"};
        auto& limits = container.limits;
        field("rootfs", container.rootfs, Text{root_directory, true});
        field("command", container.command, Command{});
        field("environment", container.environment, Environment{});
        field("working_dir", container.working_dir, Text{absolute_path});
        field("user", container.user, User{});
        field("hostname", container.hostname, Text{host_name, true});
        field("volumes", container.volumes, List<VolumeWord>{{}, "an array of volumes"});
        field("tmpfs", container.tmpfs, List<TmpfsWord>{{}, "an array of strings"});
        field("read_only", container.read_only, Flag{});
        field("network", container.network, network_choice);
        field("cap_add", container.cap_add, capabilities);
        field("cap_drop", container.cap_drop, capabilities);
        field("privileged", container.privileged, Flag{});
        field("init", container.init, Flag{});
        field("tty", container.tty, Flag{});
        field("stdin_open", container.stdin_open, Flag{});
        field("ulimits", container.ulimits, Ulimits{});
        field("oom_score_adj", container.oom_score_adj, Integer{-1000, 1000});
        field("shm_size", container.shm_size, Size{4096});
        field("mem_limit", limits.mem_limit, Maybe<Size>{Size{least_memory}});
        field("mem_high", limits.mem_high, Maybe<Size>{Size{least_memory}});
        field("memswap_limit", limits.memswap_limit, Maybe<SizeOrUnlimited>{});
        field("cpus", limits.cpus, Maybe<Real>{Real{0.01, 8192}});
        field("cpu_shares", limits.cpu_shares, Maybe<Integer>{Integer{2, 262'144}});
        field("cpuset", limits.cpuset, Cpuset{});
        field("pids_limit", limits.pids_limit, Maybe<Integer>{Integer{1, most_pids, -1}});
        field("oom_policy", container.oom_policy, oom_choice);
        field("stop_signal", container.stop_signal, SignalNumber{});
        field("stop_grace_period", container.stop_grace_period, Time{});
        field("start_timeout", container.start_timeout, Time{std::chrono::milliseconds{1}});
        field("autostart", container.autostart, AutostartWord{});
        field("restart", container.restart, RestartWord{});
        field("logging", container.logging, Section<LoggingFields>{});
    }
};

struct DaemonFields {
    template <class Visit, class T>
    void operator()(Visit& field, T& daemon) const {
        field("socket", daemon.socket, Text{socket_path, true});
        field("data_root", daemon.data_root, Text{absolute_path});
        field("state_dir", daemon.state_dir, Text{absolute_path});
        field("cgroup_parent", daemon.cgroup_parent, Text{absolute_path, true});
        field("limits", daemon.limits, limits_choice);
        field("max_concurrent_starts", daemon.max_concurrent_starts, Integer{1, 1000});
        field("shutdown_timeout", daemon.shutdown_timeout, Time{});
    }
};

// The names of a list's keys.
template <class Fields, class T>
const std::vector<std::string_view>& names_of() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all;
        const auto visitor = [&](std::string_view key, const auto&, const auto&) {
            all.push_back(key);
        };
        const T defaults{};
        Fields{}(visitor, defaults);
        return all;
    }();
    return names;
}

}  // namespace mydocker::config
