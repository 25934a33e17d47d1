// The keeper on the loop: what must outlive this mydockerd is sent to it, and comes back to the
// next one. Nothing waits for an answer: what was sent is held, even if we die in the next moment
// (runtime/keeper/wire.hpp).
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>

#include "runtime/keeper_socket.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

class KeeperLink {
public:
    using Key = keeper::Key;
    // `lost` is called once, from the loop, when the keeper has died.
    KeeperLink(const asio::any_io_executor& executor, std::unique_ptr<runtime::KeeperSocket> socket,
               std::function<void()> lost);

    struct Item {
        keeper::Role role;
        int fd;  // -1: there is none
    };
    // Throws std::system_error where the keeper cannot take it now: EAGAIN when it is full or does
    // not read. Without a keeper there is nothing to do.
    void hold(const Key& key, pid_t pid, std::initializer_list<Item> items);
    void drop(const Key& key, std::initializer_list<keeper::Role> roles);
    void forget(const Key& key);

    void ready() { tell(keeper::Verb::ready); }
    // The last words before our own end. They wait up to a second for what the keeper had no room
    // for before; false where it has not taken them, and would take our end for a crash.
    bool replace() { return say_last(keeper::Verb::replace, 0); }
    bool retire(int exit_code) {
        return say_last(keeper::Verb::retire, static_cast<std::uint32_t>(exit_code));
    }

    // The next mydockerd may begin to read. It tells through the descriptor, which stays the
    // caller's, whether it could take over: "ok", or what is in the way; then it waits for our end.
    // Throws as hold() does.
    void prepare(int report);
    void dismiss() { tell(keeper::Verb::dismiss); }  // it is not wanted any more

    void close();  // nothing is asked of it afterwards
    bool is_lost() const { return lost_now_; }
    void count_held(std::size_t keys) { held_ += keys; }  // what our predecessor left

private:
    void tell(keeper::Verb verb, std::uint32_t number = 0);
    bool say_last(keeper::Verb verb, std::uint32_t number);
    void send(const keeper::Message& message);
    void flush();
    void flush_later(int error);
    void watch();
    void lose();

    std::unique_ptr<runtime::KeeperSocket> socket_;
    std::unique_ptr<WatchedFd> watched_;  // a duplicate of the keeper's socket
    std::function<void()> on_lost_;
    // What it had no room for: drops and forgets, so never more than it holds.
    std::deque<keeper::Message> waiting_;
    asio::steady_timer retry_;
    bool retrying_ = false;
    std::size_t held_ = 0;
    bool lost_now_ = false;
};

// Of a container's attempt, or of a command inside it.
keeper::Key keeper_key(const std::string& container_id, std::uint64_t attempt,
                       std::uint32_t exec = 0);
std::string container_of(const keeper::Key& key);  // its id

}  // namespace mydocker::supervisor
