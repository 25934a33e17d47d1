// Resource errors never end mydockerd: in the course of a container's whole life each system call
// that can fail does so once. mydockerd goes on, says what is wrong, and has recovered afterwards.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "runtime/unique_fd.hpp"
#include "tests/faults/faults.hpp"
#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/supervision.hpp"
#include "tests/system/workload.hpp"

using namespace mydocker::tests;
using nlohmann::json;

namespace {

// The page that the test shares with mydockerd.
class Faults {
public:
    Faults() {
        const std::string path = directory_ / "order";
        const mydocker::runtime::UniqueFd fd(
            ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        BOOST_REQUIRE(::ftruncate(fd.get(), sizeof(mydocker::faults::Order)) == 0);
        order_ = static_cast<mydocker::faults::Order*>(::mmap(
            nullptr, sizeof *order_, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
        ::setenv(mydocker::faults::variable, path.c_str(), 1);
        ::setenv("LD_PRELOAD", program("libmydocker-faults.so").c_str(), 1);
    }
    ~Faults() {
        ::unsetenv(mydocker::faults::variable);
        ::unsetenv("LD_PRELOAD");
        ::munmap(order_, sizeof *order_);
    }
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;

    void arm(int error, int nth) {
        order_->hits = 0;
        order_->error = error;
        order_->countdown = nth;
    }
    bool disarm() {
        order_->countdown = 0;
        return order_->hits > 0;
    }
    std::string last() const { return order_->last; }

private:
    Directory directory_;
    mydocker::faults::Order* order_;
};

const json container = {{"command", {"/bin/sh", "-c", "echo a line; exit 7"}}};

void fail_every_call(int error) {
    Faults faults;
    Daemon daemon;
    const pid_t mydockerd = daemon.pid();
    BOOST_REQUIRE_EQUAL(run_to_end(daemon, container).status, 7);
    int failed_runs = 0;
    int nth = 1;
    for (;; ++nth) {
        BOOST_REQUIRE_LT(nth, 1000);
        faults.arm(error, nth);
        const std::string name = "c" + std::to_string(nth);
        const Result result = run_to_end(daemon, container, name);
        if (!faults.disarm()) break;
        const std::string what = std::string(std::strerror(error)) + " at call " +
                                 std::to_string(nth) + " (" + faults.last() + ")";
        BOOST_REQUIRE_MESSAGE(daemon.pid() == mydockerd, what << " has ended mydockerd");
        if (result.status != 7) {
            ++failed_runs;
            BOOST_CHECK_MESSAGE(!result.err.empty() || daemon.state(name).empty() ||
                                    !daemon.inspect(name).value("reason", "").empty(),
                                what << ": nobody says what was wrong");
        }
        daemon.api("DELETE", "/v1/containers/" + name + "?force=1");
        const Result after = run_to_end(daemon, container, "after");
        BOOST_CHECK_MESSAGE(after.status == 7, what << " is not recovered from: " << after.err);
        daemon.api("DELETE", "/v1/containers/after?force=1");
    }
    BOOST_TEST_MESSAGE(std::strerror(error) << ": " << nth - 1 << " calls failed, " << failed_runs
                                            << " runs with them");
    BOOST_CHECK_GT(nth, 1);
    BOOST_CHECK(eventually([&] { return cgroups_below(daemon.cgroup()).empty(); }));
    BOOST_CHECK(eventually([&] { return children_of(mydockerd).size() == 1; }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(faults)

BOOST_AUTO_TEST_CASE(no_space) { fail_every_call(ENOSPC); }
BOOST_AUTO_TEST_CASE(broken_disk) { fail_every_call(EIO); }
BOOST_AUTO_TEST_CASE(no_descriptors) { fail_every_call(EMFILE); }
BOOST_AUTO_TEST_CASE(no_files) { fail_every_call(ENFILE); }
BOOST_AUTO_TEST_CASE(no_memory) { fail_every_call(ENOMEM); }
BOOST_AUTO_TEST_CASE(try_again) { fail_every_call(EAGAIN); }
BOOST_AUTO_TEST_CASE(interrupted) { fail_every_call(EINTR); }
BOOST_AUTO_TEST_CASE(busy) { fail_every_call(EBUSY); }

BOOST_AUTO_TEST_SUITE_END()
