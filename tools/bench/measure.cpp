// See measure.hpp.
#include "tools/bench/measure.hpp"

#include <poll.h>
#include <signal.h>

#include <memory>
#include <stdexcept>

namespace mydocker::bench {

using floor::Command;

namespace {

double microseconds(Nanoseconds from, Nanoseconds to) {
    return static_cast<double>(to - from) / 1000.0;
}

std::string start_of(const std::string& name) { return post("/v1/containers/" + name + "/start"); }
std::string wait_of(const std::string& name) { return post("/v1/containers/" + name + "/wait"); }

// `count` containers through mydockerd, `names.size()` of them at once: each is started and waited
// for on a connection of its own, then started again.
class Crowd {
public:
    Crowd(const Daemon& daemon, const std::vector<std::string>& names) {
        for (const std::string& name : names)
            members_.push_back({start_of(name), wait_of(name),
                                std::make_unique<Connection>(daemon.socket()), false});
    }

    void run(unsigned count) {
        unsigned begun = 0;
        unsigned ended = 0;
        std::vector<pollfd> waiting(members_.size(), pollfd{-1, POLLIN, 0});
        const auto begin = [&](std::size_t i) {
            waiting[i].fd = -1;
            if (begun == count) return;
            ++begun;
            members_[i].connection->send(members_[i].start);
            members_[i].runs = false;
            waiting[i].fd = members_[i].connection->fd();
        };
        for (std::size_t i = 0; i < members_.size(); ++i) begin(i);
        while (ended < count) {
            if (::poll(waiting.data(), waiting.size(), 10'000) <= 0)
                throw std::runtime_error("mydockerd does not answer");
            for (std::size_t i = 0; i < members_.size(); ++i) {
                if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
                Member& member = members_[i];
                member.connection->receive();
                if (!member.runs) {
                    member.connection->send(member.wait);
                    member.runs = true;
                    waiting[i].fd = member.connection->fd();
                    continue;
                }
                ++ended;
                begin(i);
            }
        }
    }

private:
    struct Member {
        std::string start;
        std::string wait;
        std::unique_ptr<Connection> connection;
        bool runs;
    };
    std::vector<Member> members_;
};

}  // namespace

const char* name_of(Recipe recipe) { return recipe == Recipe::full ? "full" : "minimal"; }

nlohmann::json container_of(const Scene& scene, Recipe recipe, const std::string& program) {
    nlohmann::json container = {{"rootfs", scene.rootfs()}, {"command", {program}}};
    if (recipe == Recipe::minimal) {
        container["network"] = "host";
        container["privileged"] = true;
    }
    return container;
}

Latency measure_latency(const Bench& bench, Recipe recipe, const std::string& name,
                        unsigned count) {
    Latency result;
    Connection connection(bench.daemon.socket());
    const std::string start = start_of(name);
    const std::string wait = wait_of(name);
    constexpr unsigned warm_up = 5;
    for (unsigned i = 0; i < warm_up + count; ++i) {
        bench.marks.skip();
        const floor::Reply reply = bench.floor.ask(Command::run, recipe);
        const Nanoseconds floor_ran = bench.marks.next();
        const Nanoseconds began = now();
        connection.send(start);
        connection.receive();
        connection.send(wait);
        connection.receive();
        const Nanoseconds ended = now();
        const Nanoseconds ran = bench.marks.next();
        if (i < warm_up) continue;
        result.to_exec.floor.push_back(microseconds(reply.began, floor_ran));
        result.to_cleaned.floor.push_back(microseconds(reply.began, reply.ended));
        result.to_exec.mydockerd.push_back(microseconds(began, ran));
        result.to_cleaned.mydockerd.push_back(microseconds(began, ended));
    }
    return result;
}

Pair measure_rate(const Bench& bench, Recipe recipe, const std::vector<std::string>& names,
                  unsigned in_flight, unsigned rounds, unsigned count) {
    Pair result;
    Crowd crowd(bench.daemon, {names.begin(), names.begin() + in_flight});
    const auto rate = [&](Nanoseconds from, Nanoseconds to) {
        return count * 1e6 / microseconds(from, to);
    };
    for (unsigned i = 0; i < rounds; ++i) {
        const floor::Reply reply = bench.floor.ask(Command::run, recipe, count, in_flight);
        result.floor.push_back(rate(reply.began, reply.ended));
        const Nanoseconds began = now();
        crowd.run(count);
        result.mydockerd.push_back(rate(began, now()));
    }
    return result;
}

Pair measure_replacement(const Bench& bench, Recipe recipe, const std::string& name,
                         unsigned count) {
    Pair result;
    bench.marks.skip();
    bench.floor.ask(Command::keep, recipe);
    bench.marks.next();
    bench.daemon.ask(start_of(name));
    bench.marks.next();
    for (unsigned i = 0; i < count; ++i) {
        const floor::Reply reply = bench.floor.ask(Command::replace, recipe);
        result.floor.push_back(microseconds(reply.began, bench.marks.next()));
        pid_t pid = 0;
        while (pid == 0)  // between its exec and mydockerd's knowing it
            pid = bench.daemon.ask(get("/v1/containers/" + name)).at("pid");
        const Nanoseconds began = now();
        ::kill(pid, SIGKILL);
        result.mydockerd.push_back(microseconds(began, bench.marks.next()));
    }
    bench.floor.ask(Command::drop, recipe);
    bench.daemon.ask(post("/v1/containers/" + name + "/stop?timeout=0"));
    return result;
}

}  // namespace mydocker::bench
