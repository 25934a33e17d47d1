// See log.hpp.
#include "supervisor/log.hpp"

#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

namespace mydocker::supervisor::log {

namespace {

// %* in the pattern: "<6>" and the like.
class PriorityFlag : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
                spdlog::memory_buf_t& out) override {
        constexpr const char* priorities[] = {"<7>", "<7>", "<6>", "<4>", "<3>", "<2>", ""};
        const char* text = priorities[static_cast<int>(message.level)];
        out.append(text, text + std::char_traits<char>::length(text));
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return spdlog::details::make_unique<PriorityFlag>();
    }
};

// What nobody takes is left out and counted: a pager that is not read, or a terminal held by ^S,
// must not hold up the loop. (A pipe that is writable takes 4 KiB without blocking: pipe(7).)
class PatientSink : public spdlog::sinks::stderr_color_sink_st {
public:
    void log(const spdlog::details::log_msg& message) override {
        pollfd ready{STDERR_FILENO, POLLOUT, 0};
        if (::poll(&ready, 1, 0) <= 0 || (ready.revents & POLLOUT) == 0) {
            ++lost_;
            return;
        }
        if (const auto lost = std::exchange(lost_, 0); lost > 0) {
            const std::string text = std::to_string(lost) + " lines were lost: nobody took them";
            Base::log({message.logger_name, spdlog::level::warn, text});
        }
        Base::log(message);
    }

private:
    using Base = spdlog::sinks::stderr_color_sink_st;
    std::uint64_t lost_ = 0;
};

}  // namespace

bool set_up(const std::string& level) {
    const auto parsed = spdlog::level::from_str(level);
    if (parsed == spdlog::level::off && level != "off") return false;
    auto logger = std::make_shared<spdlog::logger>("mydockerd", std::make_shared<PatientSink>());
    if (std::getenv("JOURNAL_STREAM") != nullptr) {
        auto formatter = std::make_unique<spdlog::pattern_formatter>();
        formatter->add_flag<PriorityFlag>('*').set_pattern("%*%v");
        logger->set_formatter(std::move(formatter));
    } else {
        logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    }
    logger->set_level(parsed);
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
    return true;
}

}  // namespace mydocker::supervisor::log
