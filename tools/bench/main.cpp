// mydocker-bench: what mydockerd costs above the least that any supervisor must do
// (mydocker-floor), measured side by side on this machine. Reads its options and says in which
// order things are measured; measure.hpp measures.
//
// The two recipes, what each side does for them:
//   minimal  floor: pid, mount, uts, ipc and cgroup namespaces, cgroup, root, /proc, /dev with its
//            devices and links. mydockerd: network = "host", privileged = true, rootfs; it mounts
//            /sys, /sys/fs/cgroup, /dev/pts, /dev/shm and /dev/mqueue as well, and captures logs.
//   full     both: and a network namespace with lo up, all mounts, read-only and masked paths,
//            limits of the process, capabilities, no_new_privs. mydockerd: its defaults, rootfs.
//
// A start is measured from the request's first byte (the floor: from before its mkdir) to the time
// that the workload itself reads in its first instruction, and to the answer of `wait`.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <thread>

#include "tools/bench/logs.hpp"
#include "tools/bench/peers.hpp"
#include "tools/bench/report.hpp"
#include "tools/bench/takeover.hpp"

namespace {

using namespace mydocker::bench;

struct Options {
    unsigned count = 300;
    unsigned containers = 0;
    unsigned mounts = 0;
    unsigned takeovers = 0;
    bool quick = false;
    bool idle = false;
    bool logs = false;
    bool peers = false;
    bool json = false;
};

constexpr unsigned widest = 32;
constexpr Recipe recipes[] = {Recipe::minimal, Recipe::full};
constexpr double pss_base = 6e6;  // bytes; the aim is this and so much a container
constexpr double pss_each = 8e3;
constexpr double longest_pause = 100;  // ms without a loop, over an upgrade
constexpr double longest_turn = 20;    // ms of the loop

std::string name_of(Recipe recipe, unsigned number) {
    return std::string(mydocker::bench::name_of(recipe)) + "-" + std::to_string(number);
}

std::string staying(Recipe recipe) {
    return std::string(mydocker::bench::name_of(recipe)) + "-stays";
}

void create_containers(const Bench& bench, Recipe recipe) {
    for (unsigned i = 0; i < widest; ++i)
        bench.daemon.create(name_of(recipe, i),
                            container_of(bench.scene, recipe, "/mydocker-true"));
    nlohmann::json stays = container_of(bench.scene, recipe, "/mydocker-pause");
    stays["restart"] = {{"policy", "always"}, {"delay", "0s"}};
    bench.daemon.create(staying(recipe), stays);
}

void add_latency(Report& report, const Bench& bench, Recipe recipe, unsigned count,
                 const std::string& where) {
    const double aim = recipe == Recipe::minimal ? 1.6 : 1.5;
    const Latency latency = measure_latency(bench, recipe, name_of(recipe, 0), count);
    report.add("start to exec" + where, recipe, latency.to_exec, "us", Report::Better::less, aim);
    report.add("start to cleaned up" + where, recipe, latency.to_cleaned, "us");
}

void add_memory(Report& report, const Daemon& daemon, const std::string& where, double aim) {
    const auto kib = [](double bytes) { return bytes / 1024; };
    report.add_value("PSS" + where, "mydockerd", kib(static_cast<double>(pss(daemon.pid()))), "KiB",
                     kib(aim));
    report.add_value("PSS" + where, "its zygote", kib(static_cast<double>(pss(daemon.zygote()))),
                     "KiB");
}

void add_crowd(Report& report, const Bench& bench, unsigned count, unsigned samples) {
    const double before = static_cast<double>(pss(bench.daemon.pid()));
    for (unsigned i = 0; i < count; ++i) {
        const std::string name = "idle-" + std::to_string(i);
        bench.daemon.create(name, container_of(bench.scene, Recipe::minimal, "/mydocker-pause"));
        bench.daemon.ask(post("/v1/containers/" + name + "/start"));
    }
    const std::string where = ", " + std::to_string(count) + " running";
    constexpr unsigned others = 2 * (widest + 1);  // at rest, of create_containers()
    add_memory(report, bench.daemon, where, pss_base + pss_each * (count + others));
    const double after = static_cast<double>(pss(bench.daemon.pid()));
    report.add_value("PSS a container" + where, "mydockerd", (after - before) / count, "bytes",
                     pss_each);
    for (const Recipe recipe : recipes) add_latency(report, bench, recipe, samples, where);
}

void add_wake_ups(Report& report, const Daemon& daemon, std::chrono::seconds duration) {
    std::this_thread::sleep_for(std::chrono::seconds{2});  // what was in flight comes to rest
    const pid_t zygote = daemon.zygote();
    const std::uint64_t before = switches(daemon.pid()) + switches(zygote);
    std::this_thread::sleep_for(duration);
    const auto woken = static_cast<double>(switches(daemon.pid()) + switches(zygote) - before);
    report.add_value("wake-ups a minute, idle", "mydockerd",
                     woken * 60 / static_cast<double>(duration.count()), "", 0);
}

void add_peers(Report& report, const Bench& bench, unsigned count) {
    for (const Recipe recipe : recipes)
        for (const Peer& peer : measure_peers(bench.scene, bench.marks, recipe, count)) {
            if (!peer.skipped.empty()) {
                report.note(peer.name + ", " + mydocker::bench::name_of(recipe) +
                            ": skipped: " + peer.skipped);
                continue;
            }
            report.add_peer("start to exec", recipe, peer.name, peer.to_exec);
            report.add_peer("start to cleaned up", recipe, peer.name, peer.to_cleaned);
        }
}

void add_logs(Report& report, const Bench& bench, bool quick) {
    report.add("log of 80-byte lines", Recipe::full,
               measure_log_throughput(bench, quick ? 3 : 5, quick ? 200 : 1000), "MB/s",
               Report::Better::more, 2.0);
    const Flood flood(bench);
    report.add(
        "kill -9 to successor beside a log's flood", Recipe::minimal,
        measure_replacement(bench, Recipe::minimal, staying(Recipe::minimal), quick ? 60 : 300),
        "us");
}

void add_takeovers(Report& report, const Bench& bench, unsigned count, unsigned rounds) {
    const Takeovers takeovers = measure_takeovers(bench, count, rounds);
    const std::string where = ", " + std::to_string(count) + " running";
    report.add_samples("nobody answers over an upgrade" + where, "mydockerd", takeovers.upgrade,
                       "ms", longest_pause);
    report.add_samples("nobody answers over a kill -9" + where, "mydockerd", takeovers.crash, "ms");
    report.add_value("longest turn of the loop, all end at once" + where, "mydockerd",
                     takeovers.longest_turn, "ms", longest_turn);
    report.add_value("its CPU time, of the busiest turn" + where, "mydockerd",
                     takeovers.busiest_turn, "ms");
}

Report measure(const Options& options) {
    const unsigned count = options.quick ? 60 : options.count;
    const Scene scene;
    Floor floor(scene);
    Daemon daemon(scene, widest);
    Marks marks(scene);
    const Bench bench{scene, floor, daemon, marks};
    Report report;
    add_memory(report, daemon, ", no containers", pss_base);
    for (const Recipe recipe : recipes) {
        create_containers(bench, recipe);
        add_latency(report, bench, recipe, count, "");
        report.add("kill -9 to successor", recipe,
                   measure_replacement(bench, recipe, staying(recipe), count / 2), "us",
                   Report::Better::less, 1.5);
        std::vector<std::string> names;
        for (unsigned i = 0; i < widest; ++i) names.push_back(name_of(recipe, i));
        for (const unsigned in_flight : {1U, 8U, 32U})
            report.add("rate, " + std::to_string(in_flight) + " in flight", recipe,
                       measure_rate(bench, recipe, names, in_flight, options.quick ? 3 : 7,
                                    options.quick ? 64 : 200),
                       "1/s", Report::Better::more);
    }
    if (options.peers) add_peers(report, bench, options.quick ? 20 : 60);
    if (options.logs) add_logs(report, bench, options.quick);
    if (options.mounts != 0) {
        scene.add_mounts(options.mounts);
        for (const Recipe recipe : recipes)
            add_latency(report, bench, recipe, count,
                        ", " + std::to_string(options.mounts) + " host mounts");
    }
    if (options.containers != 0) add_crowd(report, bench, options.containers, count);
    if (options.idle) add_wake_ups(report, daemon, std::chrono::seconds{options.quick ? 10 : 60});
    if (options.takeovers != 0)  // the last: another mydockerd answers afterwards
        add_takeovers(report, bench, options.takeovers, options.quick ? 3 : 10);
    return report;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"measures mydockerd against the least that any supervisor must do"};
    app.add_option("--count", options.count, "starts measured for each recipe");
    app.add_option("--containers", options.containers, "measure with so many running as well");
    app.add_option("--mounts", options.mounts, "measure with so many host mounts as well");
    app.add_option("--takeovers", options.takeovers,
                   "with so many running: upgrade mydockerd, kill it, and let all end at once");
    app.add_flag("--logs", options.logs,
                 "measure the way of output to its log, and a restart beside a flood of it");
    app.add_flag("--idle", options.idle, "count the wake-ups of an idle minute");
    app.add_flag("--peers", options.peers, "run bwrap, crun, runc and podman on the same work");
    app.add_flag("--quick", options.quick, "fewer samples: done in seconds");
    app.add_flag("--json", options.json, "print JSON instead of a table");
    CLI11_PARSE(app, argc, argv);
    try {
        // Against whatever else this machine is doing; everything measured inherits it.
        ::setpriority(PRIO_PROCESS, 0, -20);
        const Report report = measure(options);
        std::cout << (options.json ? report.json() : report.table());
    } catch (const std::exception& error) {
        std::cerr << "mydocker-bench: " << error.what() << "\n";
        return 1;
    }
}
