// System calls of a mydockerd that fail on order (tests/faults/faults.hpp): made before the Daemon
// that it is for, it is the page that the two share.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include "runtime/unique_fd.hpp"
#include "tests/faults/faults.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/supervision.hpp"

namespace mydocker::tests {

class OrderedFaults {
public:
    OrderedFaults() {
        const std::string path = directory_ / "order";
        const runtime::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        BOOST_REQUIRE(::ftruncate(fd.get(), sizeof(faults::Order)) == 0);
        order_ = static_cast<faults::Order*>(
            ::mmap(nullptr, sizeof *order_, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
        ::setenv(faults::variable, path.c_str(), 1);
        ::setenv("LD_PRELOAD", program("libmydocker-faults.so").c_str(), 1);
    }
    ~OrderedFaults() {
        ::unsetenv(faults::variable);
        ::unsetenv("LD_PRELOAD");
        ::munmap(order_, sizeof *order_);
    }
    OrderedFaults(const OrderedFaults&) = delete;
    OrderedFaults& operator=(const OrderedFaults&) = delete;

    // The nth call from now on, of those that can fail so, does.
    void arm(int error, int nth) {
        order_->hits = 0;
        order_->error = error;
        order_->countdown = nth;
    }
    // Whether it has.
    bool disarm() {
        order_->countdown = 0;
        return order_->hits > 0;
    }
    std::string last() const { return order_->last; }
    int syncs() const { return order_->syncs; }

private:
    Directory directory_;
    faults::Order* order_;
};

}  // namespace mydocker::tests
