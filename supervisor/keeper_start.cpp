// See keeper_start.hpp.
#include "supervisor/keeper_start.hpp"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "runtime/error.hpp"
#include "supervisor/keeper_link.hpp"

namespace mydocker::supervisor {

namespace fs = std::filesystem;

namespace {

constexpr auto keeper_variable = "MYDOCKER_KEEPER";  // the keeper's pid
constexpr int keeper_fd = 3;
constexpr auto greeting_patience = std::chrono::seconds{10};

}  // namespace

std::string Predecessor::state_dir() const {
    if (!lock) return "";
    std::error_code error;
    return fs::read_symlink("/proc/self/fd/" + std::to_string(lock.get()), error)
        .parent_path()
        .string();
}

std::optional<Predecessor> meet_keeper() {
    const char* value = std::getenv(keeper_variable);
    pid_t keeper = -1;
    if (value != nullptr) std::from_chars(value, value + std::strlen(value), keeper);
    ::unsetenv(keeper_variable);  // no child of ours is the keeper's
    if (keeper <= 0 || keeper != ::getppid()) return std::nullopt;
    Predecessor before;
    before.socket = std::make_unique<runtime::KeeperSocket>(runtime::UniqueFd(keeper_fd));
    auto told = before.socket->receive_all(std::chrono::steady_clock::now() + greeting_patience);
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
    return before;
}

std::string own_program() {
    constexpr std::string_view replaced = " (deleted)";
    std::string path = fs::read_symlink("/proc/self/exe").string();
    if (path.ends_with(replaced)) path.resize(path.size() - replaced.size());
    return path;
}

std::string helper_program(const std::string& name) {
    const fs::path directory = fs::path(own_program()).parent_path();
    for (const auto& path : {directory / name, directory / "../libexec/mydocker" / name})
        if (fs::exists(path)) return path.lexically_normal();
    return std::string(MYDOCKER_LIBEXECDIR) + "/" + name;
}

void become_keeper(const runtime::UniqueFd& socket, const std::vector<std::string>& arguments) {
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable)
        environment.emplace_back(*variable);
    runtime::become_keeper(helper_program("mydocker-keeper"), own_program(), arguments, socket,
                           environment);
}

}  // namespace mydocker::supervisor
