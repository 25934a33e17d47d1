// See host_in_force.hpp.
#include "supervisor/host_in_force.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "config/load.hpp"
#include "runtime/error.hpp"
#include "runtime/unique_fd.hpp"
#include "supervisor/log.hpp"

namespace mydocker::supervisor {

namespace {

std::string path_in(const std::string& state_dir) { return state_dir + "/host.json"; }

}  // namespace

// The boot id stands in the first line, the host in the second.
void save_host_in_force(const config::Host& host, const std::string& boot) {
    const std::string path = path_in(host.daemon.state_dir);
    const std::string temporary = path + ".new";
    const std::string text = boot + "\n" + config::dump_json(host) + "\n";
    const std::string what = "write " + temporary;
    {
        const runtime::UniqueFd fd(runtime::must(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), what));
        for (std::size_t at = 0; at < text.size();)
            at += static_cast<std::size_t>(
                runtime::must(::write(fd.get(), text.data() + at, text.size() - at), what));
    }
    runtime::must(::rename(temporary.c_str(), path.c_str()), "rename " + temporary);
}

std::optional<config::Host> host_in_force(const std::string& state_dir, const std::string& boot) {
    const std::string path = path_in(state_dir);
    std::ifstream in(path);
    std::string written_in;
    if (!std::getline(in, written_in) || written_in != boot) return std::nullopt;
    std::stringstream json;
    json << in.rdbuf();
    config::Loaded loaded = config::load_json(json.str(), path);
    if (loaded.ok()) return std::move(loaded.host);
    log::error("{} is not what a mydockerd writes, and is not used: {}", path,
               config::to_string(loaded.problems.front()));
    return std::nullopt;
}

void forget_host_in_force(const std::string& state_dir) {
    ::unlink(path_in(state_dir).c_str());
}

}  // namespace mydocker::supervisor
