// See logs.hpp.
#include "tools/bench/logs.hpp"

#include <cstdlib>
#include <stdexcept>

namespace mydocker::bench {

namespace {

// 80 bytes a line, as programs write them: cheap to make, so that making them is not what is
// measured.
const std::string line =
    "2026 info request 0123456789 served in 12 ms, 4096 bytes, by worker 7, status 200";

std::string writer(unsigned megabytes) {
    return "yes '" + line + "' | head -c " + std::to_string(megabytes) + "000000";
}

nlohmann::json container_that(const std::string& script) {
    return {{"command", {"/bin/sh", "-c", script}}, {"stop_signal", "SIGKILL"}};
}

std::string path_of(const std::string& name, const std::string& action) {
    return "/v1/containers/" + name + action;
}

}  // namespace

Pair measure_log_throughput(const Bench& bench, unsigned rounds, unsigned megabytes) {
    const std::string name = "writer";
    bench.daemon.create(name, container_that(writer(megabytes)));
    const std::string file = bench.scene.scratch() / "floor.log";
    const std::string floor = "(" + writer(megabytes) + ") | cat > " + file;
    Pair result;
    for (unsigned i = 0; i < rounds; ++i) {
        const auto rate = [&](Nanoseconds from) {
            return megabytes * 1e9 / static_cast<double>(now() - from);
        };
        const Nanoseconds floor_began = now();
        if (std::system(floor.c_str()) != 0) throw std::runtime_error("it failed: " + floor);
        result.floor.push_back(rate(floor_began));
        std::filesystem::remove(file);
        const Nanoseconds began = now();
        bench.daemon.ask(post(path_of(name, "/start")));
        bench.daemon.ask(post(path_of(name, "/wait")));
        result.mydockerd.push_back(rate(began));
    }
    return result;
}

Flood::Flood(const Bench& bench) : daemon_(bench.daemon) {
    daemon_.create("flood", container_that("exec yes '" + line + "'"));
    daemon_.ask(post(path_of("flood", "/start")));
}

Flood::~Flood() {
    try {
        daemon_.ask(post(path_of("flood", "/stop?timeout=0")));
    } catch (const std::exception&) {  // its end comes with mydockerd's
    }
}

}  // namespace mydocker::bench
