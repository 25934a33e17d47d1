// mydocker-bench: thin first whole.
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "tools/bench/measure.hpp"

using namespace mydocker::bench;

static double quantile(Samples samples, double q) {
    std::ranges::sort(samples);
    return samples[static_cast<std::size_t>(q * static_cast<double>(samples.size() - 1))];
}
static void show(const char* what, const char* recipe, const Pair& p, bool rate = false) {
    const double a = quantile(p.floor, .5);
    const double b = quantile(p.mydockerd, .5);
    std::printf("%-24s %-8s floor %8.0f p90 %8.0f   mydockerd %8.0f p90 %8.0f  ratio %.2f\n", what, recipe, a,
                quantile(p.floor, .9), b, quantile(p.mydockerd, .9), rate ? a / b : b / a);
}

int main(int argc, char** argv) try {
    const unsigned n = argc > 1 ? static_cast<unsigned>(atoi(argv[1])) : 300;
    Scene scene;
    Floor floor(scene);
    Daemon daemon(scene, 32);
    Marks marks(scene);
    const Bench bench{scene, floor, daemon, marks};
    std::printf("PSS mydockerd %lu zygote %lu\n", pss(daemon.pid()), pss(daemon.zygote()));
    for (const Recipe recipe : {Recipe::minimal, Recipe::full}) {
        const std::string r = name_of(recipe);
        std::vector<std::string> names;
        for (int i = 0; i < 32; ++i) {
            names.push_back(r + std::to_string(i));
            daemon.create(names.back(), container_of(scene, recipe, "/mydocker-true"));
        }
        auto stay = container_of(scene, recipe, "/mydocker-pause");
        stay["restart"] = {{"policy", "always"}, {"delay", "0s"}, {"jitter", 0.0}};
        daemon.create(r + "-stay", stay);
        const Latency l = measure_latency(bench, recipe, names[0], n);
        show("start to exec", r.c_str(), l.to_exec);
        show("start to cleaned", r.c_str(), l.to_cleaned);
        show("kill to successor", r.c_str(), measure_replacement(bench, recipe, r + "-stay", n / 3));
        for (unsigned k : {1U, 8U, 32U})
            show(("rate " + std::to_string(k)).c_str(), r.c_str(),
                 measure_rate(bench, recipe, names, k, 5, 200), true);
        std::fflush(stdout);
    }
    std::printf("PSS mydockerd %lu zygote %lu\n", pss(daemon.pid()), pss(daemon.zygote()));
} catch (const std::exception& e) {
    std::cerr << "mydocker-bench: " << e.what() << "\n";
    return 1;
}
