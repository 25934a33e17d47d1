// Stands in mydockerd's place in keeper_test.cpp: connects to the test's socket (argv[1]), obeys
// one command a packet and answers each with a packet. With `fail CODE` it exits at once instead.
// It never outlives the test: the end of that socket is its own.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <system_error>

#include "runtime/error.hpp"
#include "runtime/keeper_socket.hpp"

using namespace mydocker;
using namespace mydocker::runtime;
using keeper::Verb;

namespace {

constexpr std::uint32_t process = 1U << keeper::role_process;
constexpr std::uint32_t output = 1U << keeper::role_output;

keeper::Key key_of(std::uint32_t number) {  // 0: mydockerd's own
    keeper::Key key{};
    key.container[0] = number != 0 ? 'c' : 0;
    key.attempt = number;
    return key;
}

class Fake {
public:
    explicit Fake(const char* path) : keeper_(UniqueFd(3)) {
        control_.reset(must(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket"));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
        must(::connect(control_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
             "connect");
        const char* pid = std::getenv("MYDOCKER_KEEPER");
        say(std::to_string(::getpid()) + " " + (pid != nullptr ? pid : "0"));
    }

    [[noreturn]] void obey() {
        char buffer[256];
        for (;;) {
            const ssize_t size = ::recv(control_.get(), buffer, sizeof buffer, 0);
            if (size <= 0) ::_exit(0);
            std::istringstream command(std::string(buffer, static_cast<std::size_t>(size)));
            try {
                say(answer(command));
            } catch (const std::system_error& error) {
                say(error.what());
            }
        }
    }

private:
    void say(const std::string& text) {
        if (::send(control_.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) ::_exit(0);
    }

    std::string answer(std::istringstream& command) {
        std::string word, text;
        std::uint32_t number = 0;
        command >> word >> number >> text;
        if (word == "receive") return receive();
        if (word == "hold") return hold(number, text);
        if (word == "hold_and_die") {
            hold(number, text);
            die();
        }
        if (word == "hold_many") return hold_many(number);
        if (word == "hold_many_and_die") {
            hold_many(number);
            die();
        }
        if (word == "text") return read_output(number);
        if (word == "spawn") return std::to_string(spawn(number, std::stoi(text)));
        if (word == "forget") return send(keeper_message(Verb::forget, key_of(number)));
        if (word == "drop") return send(keeper_message(Verb::drop, key_of(number), output));
        if (word == "ready") return send(keeper_message(Verb::ready));
        if (word == "replace") return send(keeper_message(Verb::replace));
        if (word == "retire") return send(keeper_message(Verb::retire, {}, 0, 0, number));
        if (word == "prepare") return prepare();
        if (word == "dismiss") return send(keeper_message(Verb::dismiss));
        if (word == "heard") return heard();
        if (word == "report") return report(text);
        if (word == "nonsense") return nonsense();
        if (word == "signal") return await_signal();
        if (word == "limits") return limits();
        if (word == "exit") ::_exit(static_cast<int>(number));
        if (word == "die") die();
        return "unknown command " + word;
    }

    [[noreturn]] static void die() {
        ::kill(::getpid(), SIGKILL);
        ::_exit(99);
    }

    std::string send(const keeper::Message& message, std::span<const int> fds = {}) {
        for (;;) {
            try {
                keeper_.send(message, fds);
                return "ok";
            } catch (const std::system_error& error) {
                if (error.code().value() != EAGAIN) throw;
                pollfd writable{keeper_.get(), POLLOUT, 0};
                ::poll(&writable, 1, 1000);
            }
        }
    }

    std::string receive() {
        Inheritance all =
            keeper_.receive_all(std::chrono::steady_clock::now() + std::chrono::seconds(20));
        const std::string said = std::to_string(all.crashes) + " " + std::to_string(all.status) +
                                 " " + std::to_string(all.held.size());
        for (Held& held : all.held) held_[held.key.attempt] = std::move(held);
        if (!all.prepare) return said;
        report_ = std::move(all.prepare);
        return "prepare " + std::to_string(all.held.size());
    }

    std::string hold(std::uint32_t number, const std::string& text) {
        const Pipe pipe = make_pipe();
        must(::write(pipe.write.get(), text.data(), text.size()), "write");
        const int fd = pipe.read.get();
        return send(keeper_message(Verb::hold, key_of(number), output), std::span(&fd, 1));
    }

    // As the old one: its answer comes out of report_.
    std::string prepare() {
        Pipe pipe = make_pipe();
        const int fd = pipe.write.get();
        report_ = std::move(pipe.read);
        return send(keeper_message(Verb::prepare, {}, 1U << keeper::role_report),
                    std::span(&fd, 1));
    }

    // All that the next one has said, once it has closed its end.
    std::string heard() {
        std::string all;
        char buffer[64];
        while (const ssize_t size = must(::read(report_.get(), buffer, sizeof buffer), "read"))
            all.append(buffer, static_cast<std::size_t>(size));
        return "heard:" + all;
    }

    // As the next one.
    std::string report(const std::string& text) {
        must(::write(report_.get(), text.data(), text.size()), "write");
        report_.reset();
        return "ok";
    }

    std::string hold_many(std::uint32_t count) {
        const UniqueFd null(must(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
        const int fd = null.get();
        for (std::uint32_t i = 1; i <= count; ++i)
            send(keeper_message(Verb::hold, key_of(i), output), std::span(&fd, 1));
        return "ok";
    }

    std::string read_output(std::uint32_t number) {
        const UniqueFd& fd = held_[number].fds[keeper::role_output];
        if (!fd) return "none";
        char buffer[64];
        const ssize_t size = must(::read(fd.get(), buffer, sizeof buffer), "read");
        return {buffer, static_cast<std::size_t>(size)};
    }

    // A child that exits with `code` at SIGUSR1, and in any case after two minutes. 0: not held.
    pid_t spawn(std::uint32_t number, int code) {
        sigset_t signals;
        ::sigemptyset(&signals);
        ::sigaddset(&signals, SIGUSR1);
        ::sigprocmask(SIG_BLOCK, &signals, nullptr);
        const pid_t pid = must(::fork(), "fork");
        if (pid == 0) {
            ::alarm(120);
            control_.reset();
            int signal = 0;
            ::sigwait(&signals, &signal);
            ::_exit(code);
        }
        const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        const int fd = pidfd.get();
        if (number != 0)
            send(keeper_message(Verb::hold, key_of(number), process, pid), std::span(&fd, 1));
        return pid;
    }

    // Everything that is not a message of ours, each with descriptors.
    std::string nonsense() {
        keeper::Message good = keeper_message(Verb::hold, key_of(9), output);
        keeper::Message old = good, foreign = good, unknown = good;
        old.magic -= 1;
        foreign.verb = Verb::held;
        unknown.verb = static_cast<Verb>(77);
        raw(&good, 10, 1);
        raw(&old, sizeof old, 1);
        raw(&foreign, sizeof foreign, 1);
        raw(&unknown, sizeof unknown, 1);
        raw(&good, sizeof good, 0);
        raw(&good, sizeof good, 5);
        const keeper::Message next = keeper_message(Verb::prepare, {}, output);
        raw(&next, sizeof next, 1);  // with the descriptor of another role
        raw(&next, sizeof next, 0);
        for (const std::size_t too_many : {10, 11, 40}) raw(&good, sizeof good, too_many);
        const std::string longer(100, 'x');
        raw(longer.data(), longer.size(), 0);
        return "ok";
    }

    void raw(const void* bytes, std::size_t size, std::size_t fds) {
        iovec data{const_cast<void*>(bytes), size};
        msghdr header{};
        header.msg_iov = &data;
        header.msg_iovlen = 1;
        alignas(cmsghdr) char control[CMSG_SPACE(64 * sizeof(int))] = {};
        if (fds > 0) {
            header.msg_control = control;
            header.msg_controllen = CMSG_LEN(fds * sizeof(int));
            cmsghdr* part = CMSG_FIRSTHDR(&header);
            part->cmsg_level = SOL_SOCKET;
            part->cmsg_type = SCM_RIGHTS;
            part->cmsg_len = CMSG_LEN(fds * sizeof(int));  // all 0: our stdin
        }
        must(::sendmsg(keeper_.get(), &header, MSG_NOSIGNAL), "sendmsg");
    }

    static std::string await_signal() {
        sigset_t signals;
        ::sigemptyset(&signals);
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) ::sigaddset(&signals, signal);
        const timespec most{20, 0};
        return std::to_string(::sigtimedwait(&signals, nullptr, &most));
    }

    // Blocked signals (proc_pid_status(5)), whether SIGPIPE is ignored, our process group.
    static std::string limits() {
        sigset_t blocked;
        ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
        std::string text;
        for (int signal = 1; signal < 32; ++signal)
            if (::sigismember(&blocked, signal) == 1) text += std::to_string(signal) + " ";
        struct sigaction action {};
        ::sigaction(SIGPIPE, nullptr, &action);
        text += action.sa_handler == SIG_IGN ? "ignored " : "default ";
        return text + (::getpgrp() == ::getpid() ? "own" : "shared");
    }

    KeeperSocket keeper_;
    UniqueFd control_;
    UniqueFd report_;  // where the next one tells whether it could take over: either end
    std::map<std::uint32_t, Held> held_;
};

}  // namespace

int main(int count, char** arguments) {
    if (count == 3 && std::string(arguments[1]) == "fail") {
        const int code = std::atoi(arguments[2]);
        if (code < 0) ::kill(::getpid(), -code);
        ::_exit(code);
    }
    if (count != 2) return 2;
    try {
        Fake(arguments[1]).obey();
    } catch (const std::exception& error) {
        const std::string text = std::string("keeper_fake: ") + error.what() + "\n";
        [[maybe_unused]] const ssize_t written = ::write(2, text.data(), text.size());
    }
    return 1;
}
