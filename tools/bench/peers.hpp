// Other container programs on the same work: the same root file system and workload, run in the
// foreground, one process a container. They run in a mount and a cgroup namespace of their own, so
// that whatever they do to cgroups stays below the benchmark's.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/measure.hpp"

namespace mydocker::bench {

struct Peer {
    std::string name;
    std::string skipped;  // why it cannot run here; else the samples
    Samples to_exec;
    Samples to_cleaned;  // the command has ended
};

std::vector<Peer> measure_peers(const Scene& scene, Marks& marks, Recipe recipe, unsigned count);

}  // namespace mydocker::bench
