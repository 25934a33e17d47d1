// The live view's one loop: ticks, keys, answers, log lines and signals come in by poll(2), and at
// most every 50 ms a page goes out. Nothing in it waits for mydockerd.
#include "tools/ctl/watch/watch.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "config/scalar.hpp"
#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/signals.hpp"
#include "tools/ctl/watch/actions.hpp"
#include "tools/ctl/watch/feed.hpp"
#include "tools/ctl/watch/log_follow.hpp"
#include "tools/ctl/watch/pages.hpp"
#include "tools/ctl/watch/terminfo.hpp"

namespace mydocker::ctl {

using namespace watch;

namespace {

using std::chrono::milliseconds;

constexpr milliseconds between_pages{50};
constexpr milliseconds between_countdowns{250};
constexpr milliseconds between_looks{1000};
constexpr milliseconds between_tries{100};  // while mydockerd is away
constexpr std::size_t longest_filter = 64;
constexpr auto table_keys =
    "s stop  S start  r restart  k kill  l logs  / filter  o order  h help  q quit";
constexpr auto log_keys = "Up/Down PgUp/PgDn Home scroll  End follows  q back";

bool is_at_rest(const std::string& state) {
    return state == "created" || state == "exited" || state == "failed";
}

class Watch {
public:
    Watch(const Context& context, const std::string& version)
        : client_(context.client),
          colours_(context.output.terminal.colour),
          feed_(client_, version, [this](const Json& tick) { return take(tick); }),
          actions_(client_) {
        screen_.emplace(colours_);
    }

    int run() {
        while (!exit_code_) {
            feed_.turn(Clock::now());
            if (log_) log_->turn(Clock::now());
            draw_when_due();
            wait();
        }
        return *exit_code_;
    }

private:
    bool take(const Json& tick) {
        dirty_ = true;
        host_ = host_reader_.read();
        if (!model_.take(tick, Clock::now())) return false;
        if (log_ && log_->has_ended() && log_->lines().follows()) {
            const Row* row = model_.find(log_->id());
            if (row != nullptr && !is_at_rest(row->state)) log_->ask_again();
        }
        return true;
    }

    void wait() {
        enum : std::size_t { keyboard, signals, ticks, version, log, first_action };
        std::vector<pollfd> waiting{{STDIN_FILENO, POLLIN, 0},
                                    {signals_.fd(), POLLIN, 0},
                                    {feed_.ticks_fd(), POLLIN, 0},
                                    {feed_.version_fd(), POLLIN, 0},
                                    {log_ ? log_->fd() : -1, POLLIN, 0}};
        for (const auto& action : actions_.pending())
            waiting.push_back({action.exchange.fd(), POLLIN, 0});
        const int ready = ::poll(waiting.data(), waiting.size(), patience());
        if (ready < 0 && errno != EINTR) {
            throw Failure(std::string("wait for mydockerd and for keys: ") + std::strerror(errno),
                          protocol::exit_daemon);
        }
        if (ready <= 0) return;
        const auto happened = [&](std::size_t index) { return waiting[index].revents != 0; };
        auto action = actions_.pending().begin();
        for (std::size_t i = first_action; i < waiting.size(); ++i) {
            const auto here = action++;
            if (!happened(i)) continue;
            actions_.advance(here);
            dirty_ = true;
        }
        if (happened(log)) {
            log_->advance();
            dirty_ = true;
        }
        if (happened(version)) feed_.advance_version();
        if (happened(ticks)) {
            feed_.advance_ticks(Clock::now());
            dirty_ = true;
        }
        if (happened(signals)) {
            while (const auto signal = signals_.take()) take_signal(*signal);
        }
        if (happened(keyboard)) take_keys(waiting[keyboard].revents);
    }

    // How long poll may wait: until the next page, or until something on the page changes by
    // itself.
    int patience() const {
        if (dirty_) {
            const auto left =
                std::chrono::ceil<milliseconds>(drawn_ + between_pages - Clock::now());
            return static_cast<int>(std::max(left, milliseconds{1}).count());
        }
        const bool away = feed_.ticks_fd() < 0 || (log_ && log_->fd() < 0 && !log_->has_ended());
        if (away) return static_cast<int>(between_tries.count());
        const bool counts = model_.has_waiting() && !log_ && !helps_;
        return static_cast<int>((counts ? between_countdowns : between_looks).count());
    }

    void draw_when_due() {
        const auto now = Clock::now();
        const bool due = now - drawn_ >= (dirty_ ? between_pages : between_countdowns);
        if (!due || !Screen::is_ready()) return;
        actions_.forget_old(now);
        screen_->clear();
        if (helps_) {
            draw_help(*screen_);
        } else if (log_) {
            const std::string trouble = feed_.trouble(now);
            draw_log(*screen_, log_->lines(),
                     "log of " + log_->name() +
                         (log_->lines().follows() ? ", following" : ", not following"),
                     {trouble.empty() ? log_keys : trouble,
                      trouble.empty() ? Style::faint : Style::red});
        } else {
            draw_table(*screen_, model_, {host_, feed_.version(), feed_.trouble(now), bottom()},
                       now);
        }
        screen_->show();
        dirty_ = false;
        drawn_ = now;
    }

    Bottom bottom() const {
        if (kills_) return {"Kill " + kills_->name + "? y/n", Style::red};
        if (filters_) return {"Names with: " + model_.filter() + "_", Style::bold};
        if (actions_.message().empty()) return {table_keys, Style::faint};
        return {actions_.message(), actions_.is_bad() ? Style::red : Style::bold};
    }

    void take_signal(const std::string& signal) {
        dirty_ = true;
        if (signal == "SIGWINCH") return screen_->follow_size();
        if (signal == "SIGCONT") return screen_->take_back();
        exit_code_ = 128 + config::parse_signal(signal).value_or(SIGTERM);
    }

    void take_keys(short events) {
        bool any = false;
        for (int key = screen_->take_key(); key != key::none && !exit_code_;
             key = screen_->take_key()) {
            any = true;
            take_key(key);
        }
        dirty_ = dirty_ || any;
        // The terminal has been closed, and nobody sent us SIGHUP.
        if (!any && (events & (POLLHUP | POLLERR)) != 0) exit_code_ = 128 + SIGHUP;
    }

    void take_key(int key) {
        if (key == key::interrupt) {
            exit_code_ = 0;
        } else if (key == key::suspend) {
            suspend();
        } else if (key == key::redraw) {
            screen_->follow_size();
        } else if (helps_) {
            helps_ = false;
        } else if (log_) {
            take_log_key(key);
        } else if (kills_) {
            if (key == 'y' || key == 'Y') actions_.begin(kill_verb, kills_->id, kills_->name);
            kills_.reset();
        } else if (!take_movement(key)) {
            filters_ ? take_filter_key(key) : take_table_key(key);
        }
    }

    bool take_movement(int key) {
        const auto page = static_cast<std::ptrdiff_t>(table_room(screen_->rows()));
        switch (key) {
            case key::up: model_.move(-1); return true;
            case key::down: model_.move(1); return true;
            case key::page_up: model_.move(-page); return true;
            case key::page_down: model_.move(page); return true;
            case key::home: model_.move_to(0); return true;
            case key::end: model_.move_to(SIZE_MAX); return true;
            default: return false;
        }
    }

    void take_filter_key(int key) {
        std::string filter = model_.filter();
        if (key == key::enter || key == key::escape) filters_ = false;
        if (key == key::escape) filter.clear();
        if (key == key::backspace && !filter.empty()) filter.pop_back();
        if (key > ' ' && key < 0x7f && filter.size() < longest_filter)
            filter += static_cast<char>(key);
        model_.set_filter(filter);
    }

    void take_table_key(int key) {
        const Row* row = model_.selected_row();
        switch (key) {
            case 'q': exit_code_ = 0; return;
            case 'h':
            case '?': helps_ = true; return;
            case '/': filters_ = true; return;
            case 'o': return model_.set_order(next(model_.order()));
            case key::escape: return model_.set_filter("");
            default: break;
        }
        if (row == nullptr) return;
        switch (key) {
            case 's': return actions_.begin(stop_verb, row->id, row->name);
            case 'S': return actions_.begin(start_verb, row->id, row->name);
            case 'r': return actions_.begin(restart_verb, row->id, row->name);
            case 'k': kills_ = Target{row->id, row->name}; return;
            case 'l':
            case key::enter: log_.emplace(client_, row->id, row->name); return;
            default: return;
        }
    }

    void take_log_key(int key) {
        const std::size_t rows = log_room(screen_->rows());
        const auto columns = static_cast<std::size_t>(screen_->columns());
        const auto page = static_cast<std::ptrdiff_t>(rows);
        LogLines& lines = log_->lines();
        switch (key) {
            case 'q':
            case key::escape: log_.reset(); return;
            case 'h':
            case '?': helps_ = true; return;
            case key::up: return lines.scroll(-1, rows, columns);
            case key::down: return lines.scroll(1, rows, columns);
            case key::page_up: return lines.scroll(-page, rows, columns);
            case key::page_down: return lines.scroll(page, rows, columns);
            case key::home: return lines.to_begin(rows, columns);
            case key::end: return lines.to_end();
            default: return;
        }
    }

    // ^Z: the shell gets its terminal as it was, and we take it when the shell lets us go on.
    void suspend() {
        screen_.reset();
        ::kill(0, SIGTSTP);
        screen_.emplace(colours_);
    }

    struct Target {
        std::string id, name;
    };

    const Client& client_;
    bool colours_;
    SignalInbox signals_;
    Model model_;
    Host host_;
    HostReader host_reader_;
    Feed feed_;
    Actions actions_;
    std::optional<LogFollow> log_;  // its page is shown
    std::optional<Target> kills_;   // asked whether to
    bool filters_ = false;          // keys change the filter
    bool helps_ = false;            // the help's page is shown
    bool dirty_ = true;
    Clock::time_point drawn_;
    std::optional<int> exit_code_;
    std::optional<Screen> screen_;  // last: the terminal is put back first
};

}  // namespace

int watch_containers(const Context& context) {
    require_screen();
    const Json version = context.client.call({"GET", "/v1/version", {}});
    return Watch(context, text_of(version, "version")).run();
}

std::vector<Command> watch_commands() {
    return {{.group = "Containers",
             .name = "watch",
             .operands = "",
             .summary = "all containers on a live screen, with keys to stop, restart, read logs",
             .perform = watch_containers,
             .notes = "Keys: h on the screen lists them; q ends. NO_COLOR is respected."}};
}

}  // namespace mydocker::ctl
