// See log_printer.hpp.
#include "tools/ctl/log_printer.hpp"

#include "tools/ctl/terminal.hpp"

namespace mydocker::ctl {

LogPrinter::LogPrinter(bool with_timestamps)
    : with_timestamps_(with_timestamps),
      reader_([this](LogStream stream, std::string_view time, std::string_view text) {
          // On a terminal both streams are one: keep their order.
          if (stream != stream_) flush();
          stream_ = stream;
          if (with_timestamps_ && !time.empty()) pending_.append(time).append(" ");
          pending_.append(text);
      }) {}

void LogPrinter::feed(std::string_view bytes) {
    reader_.feed(bytes);
    flush();
}

void LogPrinter::flush() {
    const std::string text = std::move(pending_);
    pending_.clear();
    if (text.empty()) return;
    if (stream_ == LogStream::out) mid_line_ = text.back() != '\n';
    stream_ == LogStream::out ? write_out(text) : write_error(text);
}

}  // namespace mydocker::ctl
