// One of our standard outputs as a loop sees it: it keeps what it was given until there is room, so
// that a stopped terminal or a full pipe holds up nothing but what comes after it.
#pragma once

#include <string>
#include <string_view>

#include "tools/ctl/client.hpp"

namespace mydocker::ctl {

class Outlet {
public:
    explicit Outlet(int fd);

    // Give it more only while it is idle: then what it keeps is bounded by one piece.
    void put(std::string_view bytes);
    bool is_idle() const { return pending_.empty(); }
    // Writes what there is room for; call it when fd() is writable. Throws ReaderGone, Failure.
    void flush();
    int fd() const { return fd_; }

private:
    UniqueFd own_;  // the same pipe or terminal, opened anew as non-blocking where that works
    int fd_;
    bool may_block_;
    std::string pending_;
};

}  // namespace mydocker::ctl
