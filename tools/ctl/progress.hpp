// One line on standard error about what takes longer than a second, such as "stopping web … 3 s",
// renewed every second and erased at the end. Nothing where standard error is no terminal.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace mydocker::ctl {

class Progress {
public:
    using Clock = std::chrono::steady_clock;
    // The line for what has been waited for so long; it is asked for only when it is to be shown.
    using Text = std::function<std::string(std::chrono::seconds waited)>;

    explicit Progress(Text text);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    Clock::time_point next() const { return next_; }  // when tick() wants to be called
    void tick();

private:
    Text text_;
    bool works_;  // somebody looks
    bool shown_ = false;
    Clock::time_point begin_ = Clock::now();
    Clock::time_point next_ = begin_ + std::chrono::seconds{1};
};

// "stopping web … 3 s, SIGKILL in 7 s". The grace period ends in SIGKILL; none: nothing about it.
std::string stopping_text(const std::string& what, std::chrono::seconds waited,
                          std::chrono::seconds grace);
// "starting web … 3 s"
std::string waiting_text(const std::string& what, std::chrono::seconds waited);

}  // namespace mydocker::ctl
