// See file_helper.hpp.
#include "supervisor/file_helper.hpp"

#include <signal.h>

#include "runtime/exit_status.hpp"
#include "supervisor/child.hpp"
#include "supervisor/container.hpp"
#include "supervisor/spawn.hpp"

namespace mydocker::supervisor {

namespace {

constexpr auto patience = std::chrono::minutes{2};  // with nothing moving

runtime::UniqueFd ours(runtime::UniqueFd& end) {
    runtime::make_nonblocking(end);
    return std::move(end);
}

// What it said, as one line.
std::string read_line(int fd) {
    char text[4096];
    const ssize_t size = ::read(fd, text, sizeof text);
    std::string line(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    while (line.ends_with('\n')) line.pop_back();
    for (char& c : line)
        if (c == '\n') c = ' ';
    return line;
}

}  // namespace

FileHelper::FileHelper(asio::any_io_executor executor, const std::vector<std::string>& words,
                       const std::vector<int>& entered, bool with_input)
    : output(executor), executor_(std::move(executor)), last_move_(Clock::now()) {
    runtime::Pipe in;
    if (with_input) in = runtime::make_pipe();
    runtime::Pipe out = runtime::make_pipe();
    runtime::Pipe errors = runtime::make_pipe();
    std::vector<int> given{in.read.get(), out.write.get(), errors.write.get()};
    given.insert(given.end(), entered.begin(), entered.end());
    pidfd_ = std::make_shared<WatchedFd>(executor_, start_child(words, given));
    if (with_input) input = ours(in.write);
    output.open(ours(out.read));
    errors_ = ours(errors.read);
}

void FileHelper::watch(std::shared_ptr<Container> container, Still still) {
    spawn(executor_, "a copy of " + container->name() + "'s files",
          live(shared_from_this(), container, std::move(still)));
}

void FileHelper::kill(const std::string& why) {
    if (ended_ || !killed_for_.empty()) return;
    killed_for_ = why;
    runtime::send_signal(pidfd_->get(), SIGKILL);
}

void FileHelper::moved() { last_move_ = Clock::now(); }

asio::awaitable<void> FileHelper::live(std::shared_ptr<FileHelper> /*self*/,
                                       std::shared_ptr<Container> container, Still still) {
    Waker waker(executor_);
    const ExitPoke at_exit(pidfd_, waker);
    const Bell::Subscription listening(container->changed, waker);
    std::optional<runtime::ExitStatus> status;
    while (!(status = runtime::peek_exit(pidfd_->get()))) {
        if (const std::string why = still(); !why.empty()) kill(why);
        if (Clock::now() >= last_move_ + patience) kill("nothing has moved for two minutes");
        std::optional<Waker::Time> deadline;
        if (killed_for_.empty()) deadline = last_move_ + patience;
        co_await waker.pause(deadline);
    }
    runtime::reap(pidfd_->get());
    message_ = killed_for_.empty() ? read_line(errors_.get()) : killed_for_;
    code_ = status->signaled ? 1 : status->number;
    if (code_ != 0 && message_.empty())
        message_ = "mydocker-files ended with " +
                   std::string(status->signaled ? "signal " : "code ") +
                   std::to_string(status->number);
    ended_ = true;
    changed.ring();
}

}  // namespace mydocker::supervisor
