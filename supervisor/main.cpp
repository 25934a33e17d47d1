// mydockerd: reads its command line and the host file, makes the supervisor, its control API and
// the signal watch, and runs the one loop until a shutdown is complete.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <filesystem>
#include <iostream>

#include "supervisor/api/server.hpp"
#include "supervisor/log.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "supervisor/service_manager.hpp"
#include "supervisor/signal_watch.hpp"
#include "supervisor/spawn.hpp"
#include "supervisor/supervisor.hpp"

namespace {

using namespace mydocker;
using namespace mydocker::supervisor;

struct Options {
    std::string config;
    Overrides overrides;
    std::string log_level = "info";
    bool check = false;
};

// Beside mydockerd in a build tree; once installed in libexec, wherever the prefix has been moved
// to.
std::string init_program() {
    const auto directory = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    for (const auto& path :
         {directory / "mydocker-init", directory / "../libexec/mydocker/mydocker-init"})
        if (std::filesystem::exists(path)) return path.lexically_normal();
    return std::string(MYDOCKER_LIBEXECDIR) + "/mydocker-init";
}

asio::awaitable<void> follow_signals(SignalWatch& signals, Supervisor& supervisor) {
    while (const int number = co_await signals.next()) {
        if (number != SIGHUP) {
            supervisor.shut_down(number == SIGTERM ? "SIGTERM" : "SIGINT");
            continue;
        }
        try {
            supervisor.reload();
        } catch (const Refusal& refusal) {
            log::error("reload: {}", refusal.text);
            for (const auto& problem : refusal.problems)
                log::error("{}", config::to_string(problem));
        }
    }
}

// Returns once every container rests after a shutdown, or cannot be made to.
asio::awaitable<void> until_shut_down(Supervisor& supervisor, asio::any_io_executor executor) {
    constexpr auto last_patience = std::chrono::seconds{10};  // after the kill
    Waker waker(executor);
    const Bell::Subscription listening(supervisor.changed, waker);
    while (!supervisor.shutting_down()) co_await waker.pause();
    const auto patience = supervisor.services().settings.shutdown_timeout + last_patience;
    const auto deadline = Clock::now() + patience;
    const std::chrono::microseconds whole = patience + last_patience;  // ours and systemd's
    notify_service_manager("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(whole.count()));
    while (!supervisor.idle() && Clock::now() < deadline) co_await waker.pause(deadline);
    for (const auto& [name, container] : supervisor.containers())
        if (!container->at_rest())
            log::error("{} could not be stopped: {}", name, container->reason());
}

// After a shutdown: everything that waits on the loop is told to end, so that it runs dry.
asio::awaitable<void> run(asio::io_context& loop, Supervisor& supervisor, api::Server& server,
                          SignalWatch& signals) {
    // First to clients that waited for the end, then to those who would wait for ever.
    constexpr auto last_answers = std::chrono::milliseconds{50};
    co_await until_shut_down(supervisor, loop.get_executor());
    server.close();
    Waker waker(loop.get_executor());
    co_await waker.pause(Clock::now() + last_answers);
    server.dismiss();
    co_await waker.pause(Clock::now() + last_answers);
    server.hang_up();
    supervisor.close();
    signals.close();
    loop.stop();
}

// Many containers need many descriptors; each gets its own limit (translate.cpp), never this one.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const Options& options) {
    config::Loaded loaded = read_host(options.config, options.overrides);
    for (const auto& problem : loaded.problems) std::cerr << config::to_string(problem) << "\n";
    if (!loaded.ok()) return 1;
    if (options.check) {
        std::cout << options.config << ": ok, " << loaded.host.containers.size() << " containers\n";
        return 0;
    }
    if (::geteuid() != 0) {
        std::cerr << "mydockerd must be run as root (it makes cgroups, namespaces and mounts)\n";
        return 1;
    }
    ::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    asio::io_context loop(1);
    SignalWatch signals(loop.get_executor(), {SIGTERM, SIGINT, SIGHUP});
    const auto lock = lock_state_directory(loaded.host.daemon.state_dir);
    const std::string socket = loaded.host.daemon.socket;
    Supervisor supervisor(loop.get_executor(), options.config, options.overrides,
                          std::move(loaded.host), init_program());
    api::Server server(loop.get_executor(), supervisor, socket);
    supervisor.boot();
    server.open();
    spawn(loop.get_executor(), "signals", follow_signals(signals, supervisor));
    spawn(loop.get_executor(), "shutdown", run(loop, supervisor, server, signals));
    log::info("mydockerd {} is ready: {} containers, socket {}, cgroup {}", MYDOCKER_VERSION,
              supervisor.containers().size(), socket, supervisor.services().tree.path().string());
    notify_service_manager("READY=1");
    loop.run();
    // What is left refers to the objects above: it ends before they do.
    loop.restart();
    loop.run_for(std::chrono::seconds{2});
    log::info("mydockerd has stopped");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"mydockerd supervises the containers of a host file"};
    app.set_version_flag("--version", std::string("mydockerd ") + MYDOCKER_VERSION);
    app.add_option("--config", options.config,
                   "the host file (default: /etc/mydocker/mydockerd.toml where there is one)");
    app.add_option("--socket", options.overrides.socket, "the control API's socket");
    app.add_option("--data-root", options.overrides.data_root,
                   "what outlives a reboot (default: /var/lib/mydocker)");
    app.add_option("--state-dir", options.overrides.state_dir,
                   "what does not (default: /run/mydocker)");
    app.add_option("--log-level", options.log_level,
                   "trace, debug, info, warn, error, critical or off");
    app.add_flag("--check", options.check, "only check the host file");
    try {
        CLI11_PARSE(app, argc, argv);
        if (options.config.empty() && std::filesystem::exists(protocol::default_config))
            options.config = protocol::default_config;
        if (!log::set_up(options.log_level)) {
            std::cerr << "mydockerd: there is no log level \"" << options.log_level << "\"\n";
            return 1;
        }
        return serve(options);
    } catch (const std::exception& error) {
        std::cerr << "mydockerd: " << error.what() << "\n";
        return 1;
    }
}
