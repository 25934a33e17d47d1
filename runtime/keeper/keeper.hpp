// The keeper: it holds what must outlive a crash of mydockerd, and starts mydockerd again. One
// loop, one wait; no policy about containers, and nothing of theirs is read or written.
#pragma once

#include <stdint.h>

#include "runtime/keeper/channel.hpp"
#include "runtime/keeper/program.hpp"
#include "runtime/keeper/sys.hpp"
#include "runtime/keeper/table.hpp"
#include "runtime/keeper/watchdog.hpp"

namespace mydocker::keeper {

class Keeper {
public:
    Keeper(const Program& program, Table<>& table, Watchdog& watchdog)
        : program_(program), table_(table), watchdog_(watchdog) {}

    // Takes over what lies in descriptor 3, then keeps mydockerd running.
    [[noreturn]] void run();

private:
    enum class After : uint32_t { crash, replace, retire };

    void take_over();
    void take(Packet& packet);
    void refuse(const Packet& packet, const char* why);
    void forget(const Key& key);
    void prepare(const Packet& packet);
    void dismiss();
    void forget_next();
    void start();
    void start_failed(int error);
    void count_vain_start(int code);
    int tell_all();
    void wait();
    void read_signals();
    void forward_signals();
    void read_socket(uint32_t most);
    void look_after_children();
    void ended(int status);
    void crashed(int pid, int status);
    void renew(int status);
    bool may_exit() const { return !was_ready_ && !table_.holds_attempts(); }

    const Program& program_;
    Table<>& table_;
    Watchdog& watchdog_;
    Program::Child child_;
    Program::Child next_;  // waits to be greeted, or is none
    int signals_ = -1;

    // Of the mydockerd that runs.
    After after_ = After::crash;
    int exit_code_ = 0;     // with After::retire
    int64_t ready_at_ = 0;  // ms of sys::now(); 0: not yet
    int64_t listen_at_ = 0;

    // Of all of them.
    bool was_ready_ = false;
    uint32_t crashes_ = 0;  // in a row
    uint32_t vain_ = 0;     // starts in a row since a stop was asked, none of them ready
    int last_status_ = 0;   // waitpid(2)'s
    int64_t start_at_ = 0;  // where none runs
    sys::SignalSet pending_ = 0;
    sys::SignalSet stop_ = 0;  // SIGTERM, SIGINT: each mydockerd is told again, until one retires
};

}  // namespace mydocker::keeper
