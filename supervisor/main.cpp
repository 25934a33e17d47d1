// mydockerd: reads its command line and the host file, comes under its keeper, makes the supervisor,
// its control API and the signal watch, and runs the one loop until a shutdown is complete.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <array>
#include <filesystem>
#include <iostream>

#include "supervisor/api/server.hpp"
#include "supervisor/host_in_force.hpp"
#include "supervisor/keeper_start.hpp"
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
    bool check_takeover = false;
    std::vector<std::string> arguments;  // all of these, as they were given
};

asio::awaitable<void> follow_signals(SignalWatch& signals, Supervisor& supervisor) {
    while (const int number = co_await signals.next()) {
        if (number == SIGTERM || number == SIGINT) {
            supervisor.shut_down(number == SIGTERM ? "SIGTERM" : "SIGINT");
            continue;
        }
        try {
            if (number == SIGHUP) {
                supervisor.reload();
                continue;
            }
            co_await supervisor.check_upgrade();
            supervisor.leave();
        } catch (const Refusal& refusal) {
            log::error("{}: {}", number == SIGUSR2 ? "upgrade" : "reload", refusal.text);
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
                          SignalWatch& signals, KeeperLink& keeper) {
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
    keeper.retire(0);
    keeper.close();
    loop.stop();
}

// Many containers need many descriptors; each gets its own limit (translate.cpp), never this one.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Without a keeper yet: all that can be wrong with the command line and the host file is told here,
// where its user looks. Returns where there is nothing to serve.
int start(const Options& options) {
    const config::Loaded loaded = read_host(options.config, options.overrides);
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
    const auto lock = lock_state_directory(loaded.host.daemon.state_dir);
    auto [ours, theirs] = runtime::make_keeper_pair();
    runtime::KeeperSocket(std::move(ours))
        .send(runtime::keeper_message(keeper::Verb::hold, {}, 1U << keeper::role_lock),
              std::array{lock.get()});
    become_keeper(theirs, options.arguments);
}

// The settings of the mydockerd before us, or else those of the host file.
config::Host settings(const Options& options, const Predecessor& before) {
    const std::string state_dir = before.state_dir();
    if (auto in_force = host_in_force(state_dir, boot_id())) {
        log::info("goes on with the settings in force in {}; a reload reads the host file",
                  state_dir);
        return std::move(*in_force);
    }
    config::Loaded loaded = read_host(options.config, options.overrides);
    for (const auto& problem : loaded.problems) log::error("{}", config::to_string(problem));
    if (!loaded.ok()) throw std::runtime_error(options.config + " has errors");
    return std::move(loaded.host);
}

// What an upgrade asks of the new program before the old one leaves. Throws what is in the way.
int check_takeover(const Options& options) {
    const config::Daemon usual;
    const std::string state_dir = options.overrides.state_dir.value_or(usual.state_dir);
    std::vector<std::string> problems;
    Store(options.overrides.data_root.value_or(usual.data_root)).load(problems);
    Snapshots(state_dir, boot_id()).load(problems);
    if (!host_in_force(state_dir, boot_id()))
        throw std::runtime_error(state_dir + " holds no settings that this version reads");
    return 0;
}

void tell_predecessor(const Predecessor& before) {
    if (before.crashes == 0) return;
    log::error("the mydockerd before this one {} {}; it is number {} in a row to do so",
               WIFSIGNALED(before.status) ? "was killed by signal" : "exited with code",
               WIFSIGNALED(before.status) ? WTERMSIG(before.status) : WEXITSTATUS(before.status),
               before.crashes);
}

int serve(const Options& options, Predecessor before) {
    ::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    asio::io_context loop(1);
    const auto executor = loop.get_executor();
    SignalWatch signals(executor, {SIGTERM, SIGINT, SIGHUP, SIGUSR2});
    tell_predecessor(before);
    config::Host host = settings(options, before);
    const std::string socket = host.daemon.socket;
    runtime::UniqueFd lock = std::move(before.lock);
    std::function<void()> replace_keeper;
    KeeperLink keeper(executor, std::move(before.socket), [&] { replace_keeper(); });
    Supervisor supervisor(executor, options.config, options.overrides, std::move(host),
                          helper_program("mydocker-init"), keeper);
    api::Server server(executor, supervisor, socket, std::move(before.listener));
    const auto hold_own = [&](KeeperLink& link) {
        link.hold({}, 0, {{keeper::role_listener, server.listener()}, {keeper::role_lock, lock.get()}});
    };
    hold_own(keeper);
    // Our children stay ours when this process becomes the keeper's, and their ends with them.
    replace_keeper = [&] {
        log::error("the keeper has died; this process becomes the next one");
        try {
            auto [ours, theirs] = runtime::make_keeper_pair();
            KeeperLink next(executor, std::make_unique<runtime::KeeperSocket>(std::move(ours)),
                            nullptr);
            hold_own(next);
            supervisor.hold_all_in(next);
            become_keeper(theirs, options.arguments);
        } catch (const std::system_error& error) {
            log::error("{}; without a keeper, mydockerd's own end loses exit codes and logs",
                          error.what());
        }
    };
    supervisor.on_leave([&] {
        keeper.replace();
        log::info("leaves its containers to the mydockerd that comes next");
        std::_Exit(0);
    });
    supervisor.boot(std::move(before.held));
    server.open();
    spawn(executor, "signals", follow_signals(signals, supervisor));
    spawn(executor, "shutdown", run(loop, supervisor, server, signals, keeper));
    log::info("mydockerd {} is ready: {} containers, socket {}, cgroup {}", MYDOCKER_VERSION,
              supervisor.containers().size(), socket, supervisor.services().tree.path().string());
    keeper.ready();
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
    options.arguments.assign(argv + 1, argv + argc);
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
    app.add_flag("--check-takeover", options.check_takeover,
                 "only check that this mydockerd could go on with what another one has written");
    try {
        CLI11_PARSE(app, argc, argv);
        if (options.config.empty() && std::filesystem::exists(protocol::default_config))
            options.config = protocol::default_config;
        if (!log::set_up(options.log_level)) {
            std::cerr << "mydockerd: there is no log level \"" << options.log_level << "\"\n";
            return 1;
        }
        if (options.check_takeover) return check_takeover(options);
        if (auto before = meet_keeper()) return serve(options, std::move(*before));
        return start(options);
    } catch (const std::exception& error) {
        std::cerr << "mydockerd: " << error.what() << "\n";
        return 1;
    }
}
