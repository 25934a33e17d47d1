// One run of mydocker-files, the program that reads or writes a container's files in its stead: its
// pipes, its end, and its death as soon as it may not go on. It never outlives what it works in.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "supervisor/output_end.hpp"

namespace mydocker::supervisor {

class Container;

class FileHelper : public std::enable_shared_from_this<FileHelper> {
public:
    // "" while it may go on, else why not.
    using Still = std::function<std::string()>;

    // `entered`: its descriptors 3 and 4. Throws std::system_error.
    FileHelper(asio::any_io_executor executor, const std::vector<std::string>& words,
               const std::vector<int>& entered, bool with_input);

    // Starts watching it: `still` is asked whenever `container` has changed. It is killed when
    // nothing has moved for two minutes.
    void watch(std::shared_ptr<Container> container, Still still);
    void kill(const std::string& why);
    void moved();  // it, or its client, has done something

    bool ended() const { return ended_; }
    // Once ended: 0; 1 failed, 2 there is no such path, 3 it cannot be as things are.
    int code() const { return code_; }
    const std::string& message() const { return message_; }  // why it failed, or a warning

    runtime::UniqueFd input;  // non-blocking; the caller's
    OutputEnd output;
    Bell changed;  // it has ended

private:
    // `self` lives as long as the coroutine.
    asio::awaitable<void> live(std::shared_ptr<FileHelper> self,
                               std::shared_ptr<Container> container, Still still);

    asio::any_io_executor executor_;
    std::shared_ptr<WatchedFd> pidfd_;
    runtime::UniqueFd errors_;
    Waker::Time last_move_;
    std::string killed_for_;
    bool ended_ = false;
    int code_ = 0;
    std::string message_;
};

}  // namespace mydocker::supervisor
