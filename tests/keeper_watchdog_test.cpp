// A service manager that waits for words of the keeper gets them, whatever becomes of mydockerd.
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/test/unit_test.hpp>
#include <cstddef>

#include "tests/keeper_world.hpp"

using namespace mydocker;
using namespace mydocker::tests;

namespace {

// As sd_notify(3) knows it: a path, or with '@' a name that is in no file system.
class Manager {
public:
    explicit Manager(const std::string& name)
        : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        BOOST_REQUIRE(name.size() < sizeof address.sun_path);
        name.copy(address.sun_path, name.size());
        if (name[0] == '@') address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        BOOST_REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    }
    std::string hear(int patience_ms = 30'000) const {
        pollfd readable{socket_.get(), POLLIN, 0};
        if (::poll(&readable, 1, patience_ms) != 1) return "";
        char text[64];
        const ssize_t size = ::recv(socket_.get(), text, sizeof text, 0);
        return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }

private:
    runtime::UniqueFd socket_;
};

KeeperWorld world_with(const std::vector<std::string>& environment) {
    return KeeperWorld(MYDOCKER_KEEPER, {}, MYDOCKER_KEEPER_FAKE, environment);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_watchdog)

BOOST_AUTO_TEST_CASE(it_is_told_again_and_again) {
    const Scratch scratch;
    for (const std::string& name :
         {(scratch / "notify").string(), "@mydocker-test-" + std::to_string(::getpid())}) {
        const Manager manager(name);
        KeeperWorld world =
            world_with({"WATCHDOG_USEC=100000", "WATCHDOG_PID=1", "NOTIFY_SOCKET=" + name});
        Fake first = world.next();
        first.tell("ready");
        for (int i = 0; i < 3; ++i) BOOST_TEST(manager.hear() == "WATCHDOG=1");
        first.order("die");
        Fake second = world.next();
        for (int i = 0; i < 3; ++i) BOOST_TEST(manager.hear() == "WATCHDOG=1");
        BOOST_TEST(comes_to_hold(world.pid, 1));
    }
}

BOOST_AUTO_TEST_CASE(nobody_is_told_who_did_not_ask) {
    const Scratch scratch;
    const std::string name = (scratch / "notify").string();
    const Manager manager(name);
    const std::vector<std::vector<std::string>> silent = {
        {"NOTIFY_SOCKET=" + name},
        {"WATCHDOG_USEC=1000"},
        {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=0"},
        {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=1000x"},
        {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=99999999999999999999"},
        {"NOTIFY_SOCKET=", "WATCHDOG_USEC=1000"},
        {"NOTIFY_SOCKET=" + name + std::string(200, 'x'), "WATCHDOG_USEC=1000"},
        {"XNOTIFY_SOCKET=" + name, "WATCHDOG_USEC=1000"},
    };
    for (const auto& environment : silent) {
        KeeperWorld world = world_with(environment);
        Fake first = world.next();
        BOOST_TEST(first.tell("ready") == "ok");
        BOOST_TEST(manager.hear(50) == "");
    }
}

BOOST_AUTO_TEST_SUITE_END()
