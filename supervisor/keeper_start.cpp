// See keeper_start.hpp.
#include "supervisor/keeper_start.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "runtime/error.hpp"
#include "runtime/exit_status.hpp"
#include "supervisor/child.hpp"
#include "supervisor/log.hpp"

namespace mydocker::supervisor {

namespace fs = std::filesystem;

namespace {

constexpr auto keeper_variable = "MYDOCKER_KEEPER";  // the keeper's pid
constexpr int keeper_fd = 3;
constexpr auto greeting_patience = std::chrono::seconds{10};
constexpr auto turn_patience = std::chrono::seconds{60};  // for the old one's end

std::string program;  // see remember_own_program()

bool is_keepers_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

// Up to the greeting, or the word to prepare: then what that brings.
runtime::UniqueFd hear(Predecessor& before, std::chrono::seconds patience) {
    runtime::Inheritance told =
        before.socket->receive_all(std::chrono::steady_clock::now() + patience);
    before.crashes = told.crashes;
    before.status = told.status;
    for (runtime::Held& each : told.held) {
        if (each.key.attempt != 0 || each.key.exec != 0) {
            before.held.push_back(std::move(each));
            continue;
        }
        before.lock = std::move(each.fds[keeper::role_lock]);
        before.listener = std::move(each.fds[keeper::role_listener]);
    }
    return std::move(told.prepare);
}

// Closed with it: only then is all of it said.
void tell_whether(runtime::UniqueFd report, const std::function<void()>& attempt) {
    std::string words = "ok";
    try {
        attempt();
    } catch (const std::exception& error) {
        words = error.what();
    }
    // Where nobody hears it any more, nobody will greet us.
    [[maybe_unused]] const ssize_t written = ::write(report.get(), words.data(), words.size());
    if (words != "ok") std::_Exit(1);
}

}  // namespace

std::string Predecessor::state_dir() const {
    if (!lock) return "";
    std::error_code error;
    return fs::read_symlink("/proc/self/fd/" + std::to_string(lock.get()), error)
        .parent_path()
        .string();
}

std::optional<Predecessor> meet_keeper(const std::function<void(const Predecessor&)>& prepare) {
    // Its pid says nothing: it may have died already, and what it said is there nevertheless.
    const bool has_keeper = std::getenv(keeper_variable) != nullptr && is_keepers_socket(keeper_fd);
    ::unsetenv(keeper_variable);  // no child of ours is the keeper's
    if (!has_keeper) return std::nullopt;
    Predecessor before;
    before.socket = std::make_unique<runtime::KeeperSocket>(runtime::UniqueFd(keeper_fd));
    try {
        if (auto report = hear(before, greeting_patience)) {
            tell_whether(std::move(report), [&] { prepare(before); });
            hear(before, turn_patience);
        }
    } catch (const std::system_error& error) {
        if (error.code().value() != EPIPE) throw;
        log::error("the keeper has died before it had said what it held");
        return std::nullopt;
    }
    return before;
}

void remember_own_program(const std::string& argv0) {
    std::error_code error;
    if (fs::path(argv0).is_absolute() && fs::equivalent(argv0, "/proc/self/exe", error)) {
        program = argv0;
        return;
    }
    constexpr std::string_view replaced = " (deleted)";
    program = fs::read_symlink("/proc/self/exe").string();
    if (program.ends_with(replaced)) program.resize(program.size() - replaced.size());
}

std::string own_program() { return program; }

std::string helper_program(const std::string& name) {
    std::error_code gone;
    const fs::path real = fs::canonical(program, gone);
    const fs::path directory = (gone ? fs::path(program) : real).parent_path();
    for (const auto& path : {directory / name, directory / "../libexec/mydocker" / name})
        if (fs::exists(path)) return path.lexically_normal();
    return std::string(MYDOCKER_LIBEXECDIR) + "/" + name;
}

void check_keeper_program() {
    const std::string path = helper_program("mydocker-keeper");
    const runtime::UniqueFd said(
        runtime::must(::memfd_create("keeper", MFD_CLOEXEC), "make a file for its words"));
    const runtime::UniqueFd child = start_child({path}, {-1, said.get(), said.get()});
    pollfd ended{child.get(), POLLIN, 0};
    if (::poll(&ended, 1, 5000) <= 0) runtime::send_signal(child.get(), SIGKILL);
    runtime::reap(child.get());
    char text[256];
    const ssize_t size = ::pread(said.get(), text, sizeof text, 0);
    const std::string_view words(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    const std::string wanted = "protocol " + std::to_string(keeper::protocol) + ";";
    if (words.find(wanted) == std::string_view::npos)
        throw std::runtime_error(path + " does not say \"" + wanted + "\" but \"" +
                                 std::string(words) + "\"");
}

void become_keeper(const runtime::UniqueFd& socket, const std::vector<std::string>& arguments) {
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable)
        environment.emplace_back(*variable);
    runtime::become_keeper(helper_program("mydocker-keeper"), own_program(), arguments, socket,
                           environment);
}

}  // namespace mydocker::supervisor
