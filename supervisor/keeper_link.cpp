// See keeper_link.hpp.
#include "supervisor/keeper_link.hpp"

#include <fcntl.h>
#include <poll.h>

#include <charconv>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/error.hpp"
#include "supervisor/log.hpp"

namespace mydocker::supervisor {
namespace {

bool is_its_end(const std::system_error& error) {
    return error.code().value() == EPIPE || error.code().value() == ECONNRESET;
}

}  // namespace

using keeper::Message;
using keeper::Verb;

KeeperLink::KeeperLink(const asio::any_io_executor& executor,
                       std::unique_ptr<runtime::KeeperSocket> socket, std::function<void()> lost)
    : socket_(std::move(socket)), on_lost_(std::move(lost)), retry_(executor) {
    watched_ = std::make_unique<WatchedFd>(
        executor, runtime::UniqueFd(runtime::must(::fcntl(socket_->get(), F_DUPFD_CLOEXEC, 3),
                                                  "duplicate the keeper's socket")));
    watch();
}

// The keeper says nothing after its greeting: what can be read is its end.
void KeeperLink::watch() {
    (*watched_)->async_wait(asio::posix::stream_descriptor::wait_read,
                            [this](const asio::error_code& error) {
                                if (error) return;
                                try {
                                    while (socket_->receive()) {
                                    }
                                    watch();
                                } catch (const std::system_error&) {
                                    lose();
                                }
                            });
}

void KeeperLink::lose() {
    if (std::exchange(lost_now_, true)) return;
    waiting_.clear();
    close();
    if (on_lost_) on_lost_();
}

void KeeperLink::close() {
    watched_.reset();
    retry_.cancel();
}

void KeeperLink::hold(const Key& key, pid_t pid, std::initializer_list<Item> items) {
    if (lost_now_) return;
    const std::string what = "give the keeper what must outlive mydockerd";
    if (held_ >= keeper::max_keys)
        runtime::fail(EAGAIN, what + ": it holds " + std::to_string(held_) + " processes already");
    flush();
    if (!waiting_.empty()) runtime::fail(EAGAIN, what);  // in their order
    Message message = runtime::keeper_message(Verb::hold, key, 0, pid);
    std::vector<int> fds;
    for (const Item& item : items) {
        if (item.fd < 0) continue;
        message.roles |= 1U << item.role;
        fds.push_back(item.fd);
    }
    try {
        socket_->send(message, fds);
    } catch (const std::system_error& error) {
        // Its death is an event of its own; meanwhile the container goes on without it.
        if (!is_its_end(error)) throw;
    }
    ++held_;
}

void KeeperLink::prepare(int report) {
    flush();
    if (!waiting_.empty()) runtime::fail(EAGAIN, "ask the keeper for the next mydockerd");
    socket_->send(runtime::keeper_message(Verb::prepare, {}, 1U << keeper::role_report),
                  std::span(&report, 1));
}

void KeeperLink::drop(const Key& key, std::initializer_list<keeper::Role> roles) {
    Message message = runtime::keeper_message(Verb::drop, key);
    for (const keeper::Role role : roles) message.roles |= 1U << role;
    send(message);
}

void KeeperLink::forget(const Key& key) {
    if (held_ > 0) --held_;
    send(runtime::keeper_message(Verb::forget, key));
}

void KeeperLink::tell(Verb verb, std::uint32_t number) {
    send(runtime::keeper_message(verb, {}, 0, 0, number));
}

bool KeeperLink::say_last(Verb verb, std::uint32_t number) {
    constexpr auto patience = std::chrono::seconds{1};
    tell(verb, number);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!waiting_.empty() && !lost_now_ && std::chrono::steady_clock::now() < deadline) {
        pollfd gone{socket_->get(), 0, 0};
        if (::poll(&gone, 1, 0) > 0) break;  // the keeper has died
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        flush();
    }
    if (waiting_.empty() && !lost_now_) return true;
    if (!waiting_.empty()) waiting_.pop_back();  // we go on, and it must not be said later
    return false;
}

void KeeperLink::send(const Message& message) {
    if (lost_now_) return;
    waiting_.push_back(message);
    if (waiting_.size() == 1) flush();
}

// Its end leaves them in the queue: lose() empties it.
void KeeperLink::flush() {
    try {
        while (!waiting_.empty()) {
            socket_->send(waiting_.front(), {});
            waiting_.pop_front();
        }
    } catch (const std::system_error& error) {
        if (!is_its_end(error) && watched_) flush_later(error.code().value());
    }
}

// When the socket has room again, or the kernel (ENOMEM, ENOBUFS).
void KeeperLink::flush_later(int error) {
    if (std::exchange(retrying_, true)) return;
    const auto again = [this](const asio::error_code& failure) {
        if (failure) return;
        retrying_ = false;
        flush();
    };
    if (error == EAGAIN)
        return (*watched_)->async_wait(asio::posix::stream_descriptor::wait_write, again);
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait(again);
}

keeper::Key keeper_key(const std::string& container_id, std::uint64_t attempt, std::uint32_t exec) {
    keeper::Key key{{}, static_cast<std::uint32_t>(attempt), exec};
    for (std::size_t i = 0; i < sizeof key.container && 2 * i + 2 <= container_id.size(); ++i)
        std::from_chars(container_id.data() + 2 * i, container_id.data() + 2 * i + 2,
                        key.container[i], 16);
    return key;
}

std::string container_of(const keeper::Key& key) {
    constexpr char digits[] = "0123456789abcdef";
    std::string id;
    for (const std::uint8_t byte : key.container) {
        id += digits[byte >> 4];
        id += digits[byte & 15];
    }
    return id;
}

}  // namespace mydocker::supervisor
