// See keeper.hpp.
#include "runtime/keeper/keeper.hpp"

#include <errno.h>
#include <sys/signalfd.h>

#include "runtime/keeper/back_off.hpp"
#include "runtime/keeper/say.hpp"
#include "runtime/keeper/standing.hpp"

namespace mydocker::keeper {

namespace {

constexpr int64_t take_over_time = 5'000;  // ms for the end of what lies in descriptor 3
constexpr int64_t tell_time = 10'000;      // ms for mydockerd to take what is held
constexpr uint32_t packets_a_turn = 256;   // then signals and children have theirs
// A container's start and end are some messages, and each wake-up takes time from both sides: after
// one, the next are let lie for so many ms. They are as safe in the socket as here.
constexpr int64_t burst = 20;
// More than a socket's room: a bound where somebody else goes on sending.
constexpr uint32_t all_packets = 1 << 17;
constexpr uint32_t most_vain_starts = 5;
constexpr int setup_failed = 125;
// To ourselves: the next mydockerd's pidfd, and our end of its socket.
constexpr uint32_t next_roles = 1U << role_process | 1U << role_report;

void close_fd(int32_t fd) { sys::close(fd); }

// As waitpid(2) packs it.
int wait_status(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return (info.si_status & 0xff) << 8;
    return info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

// As a shell tells it.
int exit_code(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool reaped(const Program::Child& child, siginfo_t& info) {
    return child.pid != 0 && sys::waitid(P_PIDFD, child.pidfd, &info, WEXITED | WNOHANG) == 0 &&
           info.si_pid == child.pid;
}

Message words(Verb verb, uint32_t number, int status) {
    return {magic, verb, {}, 0, 0, number, status};
}

// One entry as a message, and its descriptors in order.
Message words(Verb verb, const Entry& entry, int32_t fds[role_count]) {
    for (const int32_t fd : entry.fds)
        if (fd >= 0) *fds++ = fd;
    return {magic, verb, entry.key, entry.pid, entry.roles(), 0, 0};
}

}  // namespace

void Keeper::run() {
    signals_ = sys::signalfd(awaited, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0) {
        Say() << "cannot make a signalfd: " << error_text(-signals_) << "error " << -signals_;
        sys::exit(setup_failed);
    }
    take_over();
    for (;;) {
        if (child_.pid == 0 && (pending_ != 0 || sys::now() >= start_at_)) start();
        forward_signals();
        wait();
        read_signals();
        forward_signals();
        read_socket(packets_a_turn);
        look_after_children();
    }
}

// Whoever executed us has put it there, and its own end of the socket has closed with the exec.
// Descriptor 3 stays taken, by a copy of the signalfd: nothing that is held gets its number, and so
// a child's or our own next descriptor 3 overwrites nothing.
void Keeper::take_over() {
    const int64_t deadline = sys::now() + take_over_time;
    Packet packet{};
    for (;;) {
        const Received received = receive(3, packet);
        if (received == Received::end) break;
        if (received == Received::packet) {
            const Message& message = packet.message;
            const bool good = !packet.truncated && valid(message, packet.bytes, packet.count);
            if (good && message.verb == Verb::greeting) {
                was_ready_ = true;  // we are the next version of a keeper that was at work
                last_status_ = message.status;
            } else if (good && message.verb == Verb::prepare && message.roles == next_roles) {
                next_ = {message.pid, packet.fds[0], packet.fds[1]};
            } else {
                take(packet);
            }
            continue;
        }
        const int64_t left = deadline - sys::now();
        if (left <= 0) {
            Say() << "descriptor 3 does not end; going on with what it held";
            break;
        }
        pollfd readable{3, POLLIN, 0};
        sys::poll(&readable, 1, left);
    }
    sys::dup3(signals_, 3, O_CLOEXEC);
}

void Keeper::take(Packet& packet) {
    const Message& message = packet.message;
    if (packet.truncated)
        return refuse(packet, "its descriptors did not all arrive (too many, or RLIMIT_NOFILE)");
    if (!valid(message, packet.bytes, packet.count) || !is_from_mydockerd(message.verb))
        return refuse(packet, "it is malformed, or of another version");
    switch (message.verb) {
        case Verb::hold:
            if (!table_.hold(message, packet.fds, close_fd))
                Say() << "holds " << int64_t{max_keys} << " keys already; refused attempt "
                      << int64_t{message.key.attempt} << " with pid " << message.pid;
            break;
        case Verb::drop: table_.drop(message.key, message.roles, close_fd); break;
        case Verb::forget: forget(message.key); break;
        case Verb::ready:
            was_ready_ = true;
            if (ready_at_ == 0) ready_at_ = sys::now();
            vain_ = 0;
            break;
        case Verb::replace: after_ = After::replace; break;
        case Verb::retire:
            after_ = After::retire;
            exit_code_ = static_cast<int>(message.number & 0xff);
            break;
        case Verb::prepare: prepare(packet); break;
        case Verb::dismiss: dismiss(); break;
        case Verb::held:
        case Verb::greeting: break;
    }
}

void Keeper::refuse(const Packet& packet, const char* why) {
    for (uint32_t i = 0; i < packet.count; ++i) sys::close(packet.fds[i]);
    Say() << "refused a message of mydockerd: " << why;
}

// Its end is on record: now its zombie may go, if it is ours. ECHILD: it was mydockerd's own child.
void Keeper::forget(const Key& key) {
    const Entry* entry = table_.find(key);
    if (entry == nullptr) return;
    if (const int32_t pidfd = entry->fds[role_process]; pidfd >= 0) {
        siginfo_t info;
        sys::waitid(P_PIDFD, pidfd, &info, WEXITED | WNOHANG);  // Linux 5.4
    }
    table_.forget(key, close_fd);
}

// The next mydockerd beside the one that runs. It knows by `prepare` that it is not its turn yet,
// and by the descriptors that are mydockerd's own (the lock) where to read.
void Keeper::prepare(const Packet& packet) {
    dismiss();
    int error = packet.message.roles == 1U << role_report ? program_.spawn(next_) : EINVAL;
    if (error == 0) {
        const int64_t deadline = sys::now() + tell_time;
        int32_t fds[role_count];
        if (const Entry* own = table_.find(Key{}); own != nullptr) {
            const Message held = words(Verb::held, *own, fds);
            error = send(next_.socket, held, fds, deadline);
        }
        if (error == 0) error = send(next_.socket, packet.message, packet.fds, deadline);
        if (error != 0) dismiss();
    }
    for (uint32_t i = 0; i < packet.count; ++i) sys::close(packet.fds[i]);
    if (error != 0)
        Say() << "cannot start the next mydockerd: " << error_text(error) << "error " << error;
}

void Keeper::dismiss() {
    if (next_.pid == 0) return;
    sys::send_signal(next_.pidfd, SIGKILL);
    forget_next();
}

void Keeper::forget_next() {
    sys::close(next_.pidfd);
    sys::close(next_.socket);
    next_ = {};
}

void Keeper::start() {
    after_ = After::crash;
    ready_at_ = 0;
    if (next_.pid != 0) {
        child_ = next_;
        next_ = {};
    } else if (const int error = program_.spawn(child_); error != 0) {
        return start_failed(error);
    }
    pending_ |= stop_;
    // EPIPE, ECONNRESET: it has ended already, which we hear of.
    if (const int error = tell_all(); error != 0 && error != EPIPE && error != ECONNRESET) {
        Say() << "cannot tell mydockerd (pid " << child_.pid
              << ") what is held: " << error_text(error) << "error " << error << "; killing it";
        sys::send_signal(child_.pidfd, SIGKILL);
    }
}

void Keeper::start_failed(int error) {
    if (may_exit()) {
        Say() << "cannot start mydockerd: " << error_text(error) << "error " << error;
        sys::exit(setup_failed);
    }
    // At least the second crash's delay, also for a signal that is waiting: no spinning here.
    const int64_t delay = back_off(++crashes_ + 1);
    count_vain_start(setup_failed);
    Say() << "cannot start mydockerd: " << error_text(error) << "error " << error
          << "; trying again in " << delay << " ms";
    pollfd none{-1, 0, 0};
    sys::poll(&none, 1, delay);
}

// Who was told to stop, and cannot start the mydockerd that would, does so without it at last.
void Keeper::count_vain_start(int code) {
    if (stop_ == 0 || ++vain_ < most_vain_starts) return;
    Say() << "told to stop, and mydockerd does not come to hear it: giving up"
          << (table_.holds_attempts() ? "; containers are left running" : "");
    sys::exit(code);
}

int Keeper::tell_all() {
    const int64_t deadline = sys::now() + tell_time;
    for (uint32_t i = 0; i < table_.size(); ++i) {
        int32_t fds[role_count];
        const Message message = words(Verb::held, table_[i], fds);
        if (const int error = send(child_.socket, message, fds, deadline); error != 0) return error;
    }
    return send(child_.socket, words(Verb::greeting, crashes_, last_status_), nullptr, deadline);
}

void Keeper::wait() {
    const int64_t now = sys::now();
    const bool listens = listen_at_ <= now;
    int64_t until = watchdog_.tell(now);
    if (child_.pid == 0 && start_at_ < until) until = start_at_;
    if (!listens && listen_at_ < until) until = listen_at_;
    // A negative descriptor is left out (poll(2)).
    pollfd sources[] = {{signals_, POLLIN, 0}, {listens ? child_.socket : -1, POLLIN, 0}};
    const int64_t left = until > now ? until - now : 0;
    sys::poll(sources, 2, until == Watchdog::never ? -1 : left);
}

void Keeper::read_signals() {
    signalfd_siginfo info;
    while (sys::read(signals_, &info, sizeof info) == sizeof info) {
        const sys::SignalSet signal = sys::bit(static_cast<int>(info.ssi_signo));
        pending_ |= signal & forwarded;
        stop_ |= signal & (sys::bit(SIGTERM) | sys::bit(SIGINT));
    }
}

void Keeper::forward_signals() {
    if (child_.pid == 0) return;
    constexpr int signals[] = {SIGHUP, SIGUSR2, SIGINT, SIGTERM};
    for (const int signal : signals)
        if ((pending_ & sys::bit(signal)) != 0) sys::send_signal(child_.pidfd, signal);
    pending_ = 0;
}

void Keeper::read_socket(uint32_t most) {
    Packet packet{};
    const uint32_t all = most;
    for (; child_.socket >= 0 && most > 0; --most) {
        const Received received = receive(child_.socket, packet);
        if (received == Received::nothing) {
            if (most < all) listen_at_ = sys::now() + burst;
            return;
        }
        if (received == Received::packet) {
            take(packet);
            continue;
        }
        sys::close(child_.socket);
        child_.socket = -1;
    }
}

// mydockerd's end; and orphans, which came to us when mydockerd died. The zombie of one that is
// held is the only record of its exit status and stays until `forget`; any other is reaped.
void Keeper::look_after_children() {
    siginfo_t info;
    if (reaped(child_, info)) ended(wait_status(info));
    if (reaped(next_, info)) forget_next();  // mydockerd has heard of it from itself
    while (sys::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
        const int pid = info.si_pid;
        // Just now: its SIGCHLD is still to be read.
        if (pid == child_.pid || pid == next_.pid) return;
        // A process closes its sockets before its children are orphaned (kernel/exit.c, do_exit):
        // its `hold` of this one lies in the socket now, if there is one.
        read_socket(all_packets);
        if (table_.holds_pid(pid)) return;
        sys::waitid(P_PID, pid, &info, WEXITED | WNOHANG);
    }
}

// All that it has sent lies in the socket: it was closed before the zombie was there to be seen.
// Others who still have a copy of its end are not waited for.
void Keeper::ended(int status) {
    read_socket(all_packets);
    if (child_.socket >= 0) sys::close(child_.socket);
    sys::close(child_.pidfd);
    const int pid = child_.pid;
    child_ = {};
    start_at_ = 0;
    last_status_ = status;
    if (after_ != After::replace) dismiss();
    switch (after_) {
        case After::retire: sys::exit(exit_code_);
        case After::replace: return renew(status);
        case After::crash: return crashed(pid, status);
    }
}

void Keeper::crashed(int pid, int status) {
    const bool killed = WIFSIGNALED(status);
    const int64_t number = killed ? WTERMSIG(status) : WEXITSTATUS(status);
    const char* const how = killed ? ") was killed by signal " : ") exited with code ";
    if (may_exit()) {
        Say() << "mydockerd (pid " << pid << how << number << " before it was ready; giving up";
        sys::exit(exit_code(status));
    }
    const int64_t now = sys::now();
    if (ready_at_ != 0 && now - ready_at_ >= sound_life) crashes_ = 0;
    const int64_t delay = back_off(++crashes_);
    if (ready_at_ == 0) count_vain_start(exit_code(status));
    start_at_ = now + delay;
    Say() << "mydockerd (pid " << pid << how << number << "; starting another in " << delay
          << " ms (crash " << int64_t{crashes_} << " in a row)";
}

// An upgrade: the file of this program may be a new one too. All that is held goes through a socket
// to ourselves. A stop that was asked is remembered here alone, so then we go on as we are.
void Keeper::renew(int status) {
    crashes_ = 0;
    if (stop_ != 0 || program_.is_unchanged()) return;
    int32_t ends[2];
    int error = open_pair(ends);
    if (error == 0) {
        for (uint32_t i = 0; i < table_.size() && error == 0; ++i) {
            int32_t fds[role_count];
            const Message message = words(Verb::hold, table_[i], fds);
            error = send(ends[0], message, fds, 0);
        }
        if (error == 0 && next_.pid != 0) {
            const int32_t fds[] = {next_.pidfd, next_.socket};
            error = send(ends[0], {magic, Verb::prepare, {}, next_.pid, next_roles, 0, 0}, fds, 0);
        }
        if (error == 0) error = send(ends[0], words(Verb::greeting, 0, status), nullptr, 0);
        sys::close(ends[0]);
        if (error == 0) error = program_.execute_anew(ends[1]);
        sys::close(ends[1]);
        sys::dup3(signals_, 3, O_CLOEXEC);
    }
    Say() << "cannot execute " << program_.own_path() << " anew: " << error_text(error) << "error "
          << error << "; going on as it is";
}

}  // namespace mydocker::keeper
