// See takeover.hpp.
#include "tools/bench/takeover.hpp"

#include <signal.h>

#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>

#include "tools/bench/logs.hpp"

namespace mydocker::bench {

namespace {

constexpr Nanoseconds patience = 60'000'000'000;  // for anything that is waited for

std::string name_of_number(unsigned number) { return "crowd-" + std::to_string(number); }

// Their processes, which takeovers must leave as they are.
std::set<pid_t> living(Daemon& daemon) {
    std::set<pid_t> pids;
    for (const auto& container : daemon.ask(get("/v1/containers")))
        if (container.at("name").get<std::string>().starts_with("crowd-"))
            pids.insert(container.at("pid").get<pid_t>());
    return pids;
}

// `change` ends the mydockerd that answers now, at once or in a moment.
double pause_over(Daemon& daemon, const std::function<void(pid_t)>& change) {
    const pid_t before = daemon.ask(get("/v1/version")).at("pid");
    change(before);
    Nanoseconds last = now();
    for (const Nanoseconds end = last + patience; now() < end;) {
        try {
            if (daemon.ask(get("/v1/version")).at("pid") != before)
                return static_cast<double>(now() - last) / 1e6;
            last = now();
        } catch (const std::exception&) {  // it died with this question before it
        }
    }
    throw std::runtime_error("no other mydockerd has come");
}

double metric(Daemon& daemon, const std::string& name) {
    Connection connection(daemon.socket());
    connection.send(get("/metrics"));
    const std::string text = connection.receive();
    const std::size_t at = text.find("\n" + name + " ");
    if (at == std::string::npos) throw std::runtime_error("/metrics has no " + name);
    return std::stod(text.substr(at + name.size() + 2));
}

// All end in the same moment, while others ask for what they do not read.
void storm(const Bench& bench, const std::set<pid_t>& pids) {
    const Flood flood(bench);
    std::vector<std::unique_ptr<Connection>> deaf;
    for (int i = 0; i < 50; ++i) {
        deaf.push_back(std::make_unique<Connection>(bench.daemon.socket()));
        deaf.back()->send(get("/v1/events?follow=1"));
    }
    for (const pid_t pid : pids) ::kill(pid, SIGKILL);
    for (const Nanoseconds end = now() + patience; !living(bench.daemon).empty();)
        if (now() > end) throw std::runtime_error("not all have ended");
}

}  // namespace

Takeovers measure_takeovers(const Bench& bench, unsigned count, unsigned rounds) {
    Daemon& daemon = bench.daemon;
    for (unsigned i = 0; i < count; ++i) {
        daemon.create(name_of_number(i),
                      container_of(bench.scene, Recipe::minimal, "/mydocker-pause"));
        daemon.ask(post("/v1/containers/" + name_of_number(i) + "/start"));
    }
    const std::set<pid_t> pids = living(daemon);
    Takeovers result;
    for (unsigned i = 0; i < rounds; ++i) {
        Connection connection(daemon.socket());
        result.upgrade.push_back(
            pause_over(daemon, [&](pid_t) { connection.send(post("/v1/upgrade")); }));
        result.crash.push_back(
            pause_over(daemon, [](pid_t mydockerd) { ::kill(mydockerd, SIGKILL); }));
        if (living(daemon) != pids) throw std::runtime_error("a takeover has changed a process");
        // A mydockerd that dies soon after its start is taken for one in a row, and backed off.
        std::this_thread::sleep_for(std::chrono::milliseconds{1100});
    }
    storm(bench, pids);
    result.longest_turn = metric(daemon, "mydocker_loop_longest_turn_seconds") * 1000;
    result.busiest_turn = metric(daemon, "mydocker_loop_busiest_turn_seconds") * 1000;
    return result;
}

}  // namespace mydocker::bench
