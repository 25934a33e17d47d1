// What the routes' table (routes.cpp) calls. Each handler answers one request; it throws Refusal
// for what cannot be done. Handlers of one subject share a file.
#pragma once

#include <asio/awaitable.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "supervisor/api/http.hpp"
#include "supervisor/api/session.hpp"
#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor::api {

struct Call {
    Supervisor& supervisor;
    Session& session;
    const Request& request;
    std::string name;  // {name} of the path
};

using Handler = asio::awaitable<void> (*)(Call call);

// daemon_handlers.cpp
asio::awaitable<void> get_version(Call call);
asio::awaitable<void> get_info(Call call);
asio::awaitable<void> get_metrics(Call call);
asio::awaitable<void> post_shutdown(Call call);
asio::awaitable<void> post_upgrade(Call call);
asio::awaitable<void> post_reload(Call call);
asio::awaitable<void> post_up(Call call);
asio::awaitable<void> post_down(Call call);

// container_handlers.cpp
asio::awaitable<void> list_containers(Call call);
asio::awaitable<void> create_container(Call call);
asio::awaitable<void> get_container(Call call);
asio::awaitable<void> delete_container(Call call);
asio::awaitable<void> start_container(Call call);
asio::awaitable<void> stop_container(Call call);
asio::awaitable<void> restart_container(Call call);
asio::awaitable<void> kill_container(Call call);
asio::awaitable<void> pause_container(Call call);
asio::awaitable<void> unpause_container(Call call);
asio::awaitable<void> explain_container(Call call);

// update_handlers.cpp
asio::awaitable<void> update_container(Call call);
asio::awaitable<void> rename_container(Call call);
asio::awaitable<void> top_container(Call call);

// wait_handlers.cpp
asio::awaitable<void> wait_container(Call call);

// log_handlers.cpp, event_handlers.cpp
asio::awaitable<void> get_logs(Call call);
asio::awaitable<void> get_events(Call call);

// stats_handlers.cpp
asio::awaitable<void> get_stats(Call call);

// attach_handlers.cpp, exec_handlers.cpp: the connection becomes a framed stream
asio::awaitable<void> attach_container(Call call);
asio::awaitable<void> exec_in_container(Call call);

// file_handlers.cpp
asio::awaitable<void> get_archive(Call call);
asio::awaitable<void> post_archive(Call call);
asio::awaitable<void> get_export(Call call);
asio::awaitable<void> get_changes(Call call);

// What several of them need; the waiting is in wait_handlers.cpp, numbers and times in times.hpp.
runtime::WindowSize window_of(const Request& request);  // ?rows=R&cols=C
void require_upgrade(const Request& request);           // throws Refusal
nlohmann::json json_of(const std::string& body);        // discarded where it is no JSON
asio::awaitable<void> respond_json(Session& session, int status, std::string json);
// Waits until the container's last start has come to something: it runs, or it could not be
// started. Throws the Refusal that tells why not.
asio::awaitable<void> await_start(Session& session, Supervisor::ContainerPtr container,
                                  std::uint64_t after);
asio::awaitable<void> await_rest(Session& session, Supervisor::ContainerPtr container);

}  // namespace mydocker::supervisor::api
