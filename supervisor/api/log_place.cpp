// See log_place.hpp.
#include "supervisor/api/log_place.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor::api {

namespace {

std::optional<LogPosition> parse(const std::string& text) {
    LogPosition place;
    const char* end = text.data() + text.size();
    const auto file = std::from_chars(text.data(), end, place.file);
    if (file.ec != std::errc{} || file.ptr == end || *file.ptr != ':') return std::nullopt;
    const auto offset = std::from_chars(file.ptr + 1, end, place.offset);
    if (offset.ec != std::errc{} || offset.ptr != end || place.file == 0) return std::nullopt;
    return place;
}

std::string shown(LogPosition place) {
    return std::to_string(place.file) + ":" + std::to_string(place.offset);
}

}  // namespace

std::optional<LogPosition> place_of(const Request& request, const LogFiles& files, Place kind) {
    const std::string text = request.get("from");
    if (text.empty()) return std::nullopt;
    const auto place = parse(text);
    if (!place) throw Refusal{"invalid", "from \"" + text + "\" is no place FILE:BYTE in a log"};
    if (place->file < files.begin().file) return place;
    const LogPosition end = files.end();
    const runtime::UniqueFd fd(::open(files.path(place->file).c_str(), O_RDONLY | O_CLOEXEC));
    const off_t size = fd && place->file != end.file ? ::lseek(fd.get(), 0, SEEK_END) : 0;
    const std::uint64_t last =
        place->file == end.file ? end.offset : static_cast<std::uint64_t>(size);
    if (place->file > end.file || place->offset > last)
        throw Refusal{"conflict",
                      "the log ends at " + shown(end) + ": there is no " + shown(*place)};
    char before = '\n';
    if (kind == Place::record && place->offset > 0 &&
        (::pread(fd.get(), &before, 1, static_cast<off_t>(place->offset - 1)) != 1 ||
         before != '\n'))
        throw Refusal{"invalid", "at " + shown(*place) + " of the log no record begins"};
    return place;
}

}  // namespace mydocker::supervisor::api
