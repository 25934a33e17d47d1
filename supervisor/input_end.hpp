// The writing end of a workload's stdin: a pipe, or its terminal. Attempts open and close it,
// clients that are attached write into it; what does not fit stays with the client who sent it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "runtime/stdio.hpp"
#include "supervisor/waker.hpp"
#include "supervisor/watched_fd.hpp"

namespace mydocker::supervisor {

class InputEnd {
public:
    explicit InputEnd(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    // `fd`: non-blocking; empty where stdin is /dev/null. `ended` is called when the pipe's end is
    // passed on: no other copy of it may stay open.
    void open(runtime::UniqueFd fd, bool terminal, std::function<void()> ended = nullptr);
    void close();  // the workload has ended

    // How much was taken now; where that is not all, `ready` rings when more may be. While no
    // workload runs nothing is taken; once its reading end has gone, everything is, into nowhere.
    std::size_t write(std::string_view bytes);
    // The end of stdin: end(2) of a pipe, ^D on a terminal. False while a full terminal cannot
    // take it.
    bool end();
    // Of a terminal; remembered for the next one.
    void resize(runtime::WindowSize size);

    bool is_open() const { return fd_ != nullptr; }
    int fd() const { return fd_ ? fd_->get() : -1; }
    std::uint64_t opened() const { return opened_; }  // how often: tells attempts apart

    Bell ready;

private:
    void await_room();

    asio::any_io_executor executor_;
    std::unique_ptr<WatchedFd> fd_;
    std::function<void()> on_end_;
    bool terminal_ = false;
    bool ended_ = false;
    bool waiting_ = false;
    std::uint64_t opened_ = 0;
    runtime::WindowSize size_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();  // handlers look whether we still are
};

}  // namespace mydocker::supervisor
