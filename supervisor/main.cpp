// mydockerd: reads its command line and the host file, comes under its keeper, makes the
// supervisor, its control API and the signal watch, and runs the one loop until a shutdown is
// complete.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <asio/io_context.hpp>
#include <filesystem>
#include <iostream>

#include "runtime/kernel_file.hpp"
#include "supervisor/api/server.hpp"
#include "supervisor/host_in_force.hpp"
#include "supervisor/keeper_heir.hpp"
#include "supervisor/keeper_start.hpp"
#include "supervisor/log.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "supervisor/service_manager.hpp"
#include "supervisor/signal_watch.hpp"
#include "supervisor/spawn.hpp"
#include "supervisor/supervisor.hpp"
#include "supervisor/takeover.hpp"

namespace {

using namespace mydocker;
using namespace mydocker::supervisor;

struct Options {
    std::string config;
    Overrides overrides;
    std::string log_level = "info";
    bool check = false;
    std::optional<unsigned> check_takeover;  // what the keeper speaks
    std::vector<std::string> arguments;      // all of these, as they were given
};

// What keeps it from being done is told in the log: a signal has no other answer.
asio::awaitable<void> obey(int number, Supervisor& supervisor) {
    const char* const what = number == SIGUSR2 ? "upgrade" : "reload";
    try {
        if (number == SIGHUP) {
            supervisor.reload();
            co_return;
        }
        const Supervisor::Next next = co_await supervisor.prepare_next();
        supervisor.leave();
    } catch (const Refusal& refusal) {
        log::error("{}: {}", what, refusal.text);
        for (const auto& problem : refusal.problems) log::error("{}", config::to_string(problem));
    } catch (const std::exception& error) {
        log::error("{}: {}", what, error.what());
    }
}

asio::awaitable<void> follow_signals(SignalWatch& signals, Supervisor& supervisor,
                                     asio::any_io_executor executor) {
    while (const int number = co_await signals.next()) {
        if (number == SIGTERM || number == SIGINT)
            supervisor.shut_down(number == SIGTERM ? "SIGTERM" : "SIGINT");
        else if (number == SIGUSR2)
            spawn(executor, "upgrade", obey(number, supervisor));  // it takes its time
        else
            co_await obey(number, supervisor);
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
    if (!keeper.retire(0)) log::error("the keeper does not hear that this is the end");
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

// A thousand processes that end at once are work for the kernel in their name: it must not keep us
// waiting. As a session of our own we are an autogroup (sched(7)); where the controller cpu counts
// instead, our cgroup has its weight (cgroup_tree.cpp). What is not permitted is done without.
void come_first() {
    try {
        runtime::write_file_at(AT_FDCWD, "/proc/self/autogroup", "-20", "come first");
    } catch (const std::system_error&) {
    }
}

// Without a keeper yet: all that can be wrong with the command line and the host file is told here,
// where its user looks. Returns where there is nothing to serve.
int start(const Options& options) {
    const config::Loaded loaded = read_host(options.config, options.overrides);
    for (const auto& problem : loaded.problems) std::cerr << config::to_string(problem) << "\n";
    const std::string& state_dir = loaded.host.daemon.state_dir;
    if (!loaded.ok() && !options.check && host_in_force(state_dir, boot_id()))
        std::cerr << options.config << " has errors: containers of an earlier mydockerd go on with "
                  << "the settings of then\n";
    else if (!loaded.ok())
        return 1;
    if (options.check) {
        std::cout << options.config << ": ok, " << loaded.host.containers.size() << " containers\n";
        return 0;
    }
    if (::geteuid() != 0) {
        std::cerr << "mydockerd must be run as root (it makes cgroups, namespaces and mounts)\n";
        return 1;
    }
    const auto lock = lock_state_directory(state_dir);
    auto [ours, theirs] = runtime::make_keeper_pair();
    runtime::KeeperSocket(std::move(ours))
        .send(runtime::keeper_message(keeper::Verb::hold, {}, 1U << keeper::role_lock),
              std::array{lock.get()});
    become_keeper(theirs, options.arguments);
}

// What is opened here for whoever comes next, and what we got from the one before.
int serve(const Options& options, Predecessor before, Prepared prepared) {
    ::signal(SIGPIPE, SIG_IGN);
    come_first();
    asio::io_context loop(1);
    const auto executor = loop.get_executor();
    SignalWatch signals(executor, {SIGTERM, SIGINT, SIGHUP, SIGUSR2});
    tell_predecessor(before);
    const bool is_first = !before.listener;
    HostState state = state_of(options.config, options.overrides, before, std::move(prepared));
    const std::string socket = state.host.daemon.socket;
    const runtime::UniqueFd lock =
        before.lock ? std::move(before.lock) : lock_state_directory(state.host.daemon.state_dir);
    write_lock_owner(lock.get(), ::getppid());
    std::function<void()> when_lost;
    KeeperLink keeper(executor, std::move(before.socket), [&] { when_lost(); });
    keeper.count_held(before.held.size());
    Supervisor supervisor(executor, options.config, options.overrides, std::move(state),
                          helper_program("mydocker-init"), keeper);
    api::Server server(executor, supervisor, socket, std::move(before.listener));
    const auto hold_own = [&](KeeperLink& link) {
        link.hold({}, 0,
                  {{keeper::role_listener, server.listener()}, {keeper::role_lock, lock.get()}});
    };
    KeeperHeir heir(executor, options.arguments, [&](KeeperLink& next) {
        hold_own(next);
        supervisor.hold_all_in(next);
    });
    when_lost = [&] { heir.inherit(); };
    supervisor.on_leave([&] {
        if (!keeper.replace())
            throw Refusal{"failed", "the keeper does not take the order to replace this mydockerd"};
        log::info("leaves its containers to the mydockerd that comes next");
        std::_Exit(0);
    });
    try {
        hold_own(keeper);
        supervisor.boot(std::move(before.held), is_first);
        server.open();
        spawn(executor, "signals", follow_signals(signals, supervisor, executor));
        spawn(executor, "shutdown", run(loop, supervisor, server, signals, keeper));
        log::info("mydockerd {} is ready: {} containers, socket {}, cgroup {}", MYDOCKER_VERSION,
                  supervisor.containers().size(), socket,
                  supervisor.services().tree.path().string());
        keeper.ready();
        // The keeper is the main process, also one that has just become it.
        notify_service_manager("MAINPID=" + std::to_string(::getppid()) + "\nREADY=1");
        loop.run();
    } catch (const std::exception& error) {
        // As if killed: nothing is undone, since what lives is our successor's.
        log::critical("{}", error.what());
        std::_Exit(1);
    }
    heir.close();
    // What is left refers to the objects above: it ends before they do.
    loop.restart();
    loop.run_for(std::chrono::seconds{2});
    log::info("mydockerd has stopped");
    if (!loop.stopped()) std::_Exit(0);  // an upgrade that is still being prepared, say
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
    app.add_option(
        "--check-takeover", options.check_takeover,
        "only check that this mydockerd could take over from another one, below a keeper "
        "that speaks this version of the protocol");
    try {
        CLI11_PARSE(app, argc, argv);
        if (options.config.empty() && std::filesystem::exists(protocol::default_config))
            options.config = protocol::default_config;
        if (!log::set_up(options.log_level)) {
            std::cerr << "mydockerd: there is no log level \"" << options.log_level << "\"\n";
            return 1;
        }
        remember_own_program(argv[0]);
        if (options.check_takeover) {
            check_takeover(*options.check_takeover);
            return 0;
        }
        raise_descriptor_limit();  // first: the keeper may have thousands for us
        Prepared prepared;
        const auto prepare_it = [&](const Predecessor& before) { prepared = prepare(before); };
        if (auto before = meet_keeper(prepare_it))
            return serve(options, std::move(*before), std::move(prepared));
        return start(options);
    } catch (const std::exception& error) {
        std::cerr << "mydockerd: " << error.what() << "\n";
        return 1;
    }
}
