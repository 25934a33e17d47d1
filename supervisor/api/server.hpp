// The control API's socket: made so that only root can reach it, one daemon at a time, a bounded
// number of clients: beyond it, whoever has kept us waiting for longest must go. Who is connected
// is asked from the kernel (SO_PEERCRED), not from the client.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <set>
#include <string>

#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor::api {

class Session;

class Server {
public:
    static constexpr std::size_t max_clients = 1024;

    // Makes the directory (0700) and the socket (0600); an old socket in its place is removed: the
    // caller holds the state directory's lock. Throws std::system_error with the path.
    // `listener`: of the mydockerd before, whose clients wait in it; empty: a new one.
    Server(asio::any_io_executor executor, Supervisor& supervisor, const std::string& path,
           runtime::UniqueFd listener);

    void open();     // starts accepting
    void close();    // stops accepting and removes the socket; running requests go on
    void dismiss();  // tells every client that waits that this is the end (session.hpp)
    void hang_up();  // ends every connection
    int listener() { return acceptor_.native_handle(); }

private:
    asio::awaitable<void> accept_loop();
    asio::awaitable<void> serve(asio::local::stream_protocol::socket socket);
    bool make_room();  // for one more; false where every client is being served

    asio::any_io_executor executor_;
    Supervisor& supervisor_;
    std::string path_;
    asio::local::stream_protocol::acceptor acceptor_;
    std::set<Session*> sessions_;
    Waker closing_;
};

}  // namespace mydocker::supervisor::api
