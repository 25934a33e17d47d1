// mydockerd's end of the keeper's socket (keeper/wire.hpp): messages with descriptors, out without
// waiting and in with a deadline. It decides nothing about what is held.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/keeper/wire.hpp"
#include "runtime/unique_fd.hpp"

namespace mydocker::runtime {

// What the keeper kept for one key; a descriptor that it does not have is empty.
struct Held {
    keeper::Key key{};
    pid_t pid = 0;
    std::array<UniqueFd, keeper::role_count> fds;
};

struct Inheritance {
    std::vector<Held> held;
    unsigned crashes = 0;  // in a row before this start
    int status = 0;        // of the predecessor, as waitpid(2) has it; 0 at the first start
    // Of who is the next one and not greeted yet: where it tells whether it could take over. So far
    // only what is mydockerd's own is held.
    UniqueFd prepare;
};

class KeeperSocket {
public:
    struct Received {
        keeper::Message message;
        std::vector<UniqueFd> fds;  // in the order of their roles
    };

    explicit KeeperSocket(UniqueFd socket);  // close-on-exec from now on

    // With the descriptors in the order of message.roles; they stay the caller's. Never waits.
    // Throws std::system_error: EAGAIN when the socket is full, EPIPE or ECONNRESET when the keeper
    // has gone.
    void send(const keeper::Message& message, std::span<const int> fds = {});

    // nullopt: there is none now. Throws EPIPE when the keeper has gone, EPROTO for what is no
    // message of a keeper, EMFILE where its descriptors did not all arrive; std::runtime_error
    // where it speaks another version of the protocol.
    std::optional<Received> receive();

    // All that is held, up to and with the greeting, or the word to prepare: then it is called once
    // more. Throws ETIMEDOUT, and what receive() throws.
    Inheritance receive_all(std::chrono::steady_clock::time_point deadline);

    int get() const { return socket_.get(); }

private:
    UniqueFd socket_;
};

// A message without descriptors or with those of `roles`; the rest is for the verbs that have it.
keeper::Message keeper_message(keeper::Verb verb, const keeper::Key& key = {},
                               std::uint32_t roles = 0, pid_t pid = 0, std::uint32_t number = 0);

// For a first start: what is sent into `ours` is found by the keeper that is executed with
// `theirs`.
struct KeeperPair {
    UniqueFd ours;
    UniqueFd theirs;
};
KeeperPair make_keeper_pair();  // throws std::system_error

// Becomes the keeper, which then starts `own_program` with `arguments` (without argv[0]) as its
// child. Throws std::system_error where that fails; descriptor 3 is then as it was.
[[noreturn]] void become_keeper(const std::string& keeper_program, const std::string& own_program,
                                const std::vector<std::string>& arguments, const UniqueFd& socket,
                                const std::vector<std::string>& environment);

}  // namespace mydocker::runtime
