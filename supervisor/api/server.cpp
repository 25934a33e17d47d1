// See server.hpp.
#include "supervisor/api/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/experimental/as_tuple.hpp>
#include <filesystem>

#include "runtime/error.hpp"
#include "supervisor/api/routes.hpp"
#include "supervisor/api/session.hpp"
#include "supervisor/log.hpp"
#include "supervisor/spawn.hpp"

namespace mydocker::supervisor::api {

namespace {

bool may_connect(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
    return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace

Server::Server(asio::any_io_executor executor, Supervisor& supervisor, const std::string& path,
               runtime::UniqueFd listener)
    : executor_(std::move(executor)),
      supervisor_(supervisor),
      path_(path),
      acceptor_(executor_),
      closing_(executor_) {
    // Where its path is gone (somebody removed it), nobody can come in by it any more.
    if (listener && std::filesystem::is_socket(path_)) {
        acceptor_.assign(asio::local::stream_protocol(), listener.release());
        return;
    }
    if (path_.size() >= sizeof(sockaddr_un::sun_path))
        runtime::fail(ENAMETOOLONG, "use the socket " + path_);
    const std::filesystem::path directory = std::filesystem::path(path_).parent_path();
    if (::mkdir(directory.c_str(), 0700) < 0 && errno != EEXIST)
        runtime::fail(errno, "make " + directory.string());
    ::unlink(path_.c_str());
    // Before bind: there is no moment at which others could connect.
    const mode_t old_mask = ::umask(0177);
    asio::error_code error;
    acceptor_.open();
    acceptor_.bind(path_, error);
    ::umask(old_mask);
    if (error) runtime::fail(error.value(), "bind the socket " + path_);
    acceptor_.listen(asio::local::stream_protocol::acceptor::max_listen_connections, error);
    if (error) runtime::fail(error.value(), "listen on " + path_);
}

void Server::open() { spawn(executor_, "the control API", accept_loop()); }

void Server::close() {
    asio::error_code ignored;
    acceptor_.close(ignored);
    ::unlink(path_.c_str());
    closing_.poke();
}

void Server::dismiss() {
    for (Session* session : sessions_) session->dismiss();
}

void Server::hang_up() {
    for (Session* session : sessions_) session->hang_up();
}

asio::awaitable<void> Server::accept_loop() {
    constexpr auto retry = std::chrono::milliseconds{100};
    while (acceptor_.is_open()) {
        auto [error, socket] =
            co_await acceptor_.async_accept(asio::experimental::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted) co_return;
        if (error) {  // EMFILE and the like: what is connected goes on; no spinning meanwhile
            log::warn("the control API cannot accept a client: {}", error.message());
            co_await closing_.pause(Clock::now() + retry);
            continue;
        }
        spawn(executor_, "a client of the control API", serve(std::move(socket)));
    }
}

// One that was told to go is still listed for as long as its coroutine unwinds.
bool Server::make_room() {
    if (sessions_.size() < max_clients) return true;
    Session* longest = nullptr;
    for (Session* session : sessions_) {
        const auto since = session->gone() ? std::nullopt : session->stalled_since();
        if (since && (longest == nullptr || *since < *longest->stalled_since())) longest = session;
    }
    if (longest != nullptr) longest->hang_up();
    return longest != nullptr;
}

asio::awaitable<void> Server::serve(asio::local::stream_protocol::socket socket) {
    const bool allowed = may_connect(socket.native_handle());
    const bool has_room = make_room();
    const auto session = std::make_shared<Session>(std::move(socket));
    struct Listed {
        Server& server;
        Session* session;
        Listed(Server& owner, Session* listed) : server(owner), session(listed) {
            server.sessions_.insert(session);
        }
        ~Listed() { server.sessions_.erase(session); }
        Listed(const Listed&) = delete;
        Listed& operator=(const Listed&) = delete;
    };
    const Listed listed(*this, session.get());
    if (!allowed) {
        co_await session->respond(
            403, "application/json",
            "{\"error\":\"only root may use this socket\",\"code\":\"invalid\"}\n");
        co_return;
    }
    if (!has_room) {
        co_await session->respond(503, "application/json",
                                  "{\"error\":\"" + std::to_string(max_clients) +
                                      " clients are being served; try again later\","
                                      "\"code\":\"busy\"}\n");
        co_return;
    }
    while (const auto request = co_await session->read())
        co_await answer(supervisor_, *session, *request);
}

}  // namespace mydocker::supervisor::api
