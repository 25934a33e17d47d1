// Limits as words for the kernel: which file gets what, in which order, and what a change writes.
#include "runtime/limits.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

using namespace mydocker::runtime;

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
using Writes = std::vector<LimitWrite>;

Limits all_limits() {
    Limits limits;
    limits.memory_max = 52'428'800;
    limits.memory_high = 41'943'040;
    limits.swap_max = 1024;
    limits.oom_group = true;
    limits.cpu_quota_us = 150'000;
    limits.cpu_weight = 79;
    limits.cpuset_cpus = "0-1,3";
    limits.pids_max = 512;
    return limits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(no_limit_writes_nothing) { BOOST_TEST(limit_writes({}).empty()); }

BOOST_AUTO_TEST_CASE(every_limit_has_its_file) {
    BOOST_CHECK(limit_writes(all_limits()) == Writes({{"memory", "memory.max", "52428800"},
                                                      {"memory", "memory.high", "41943040"},
                                                      {"memory", "memory.swap.max", "1024"},
                                                      {"memory", "memory.oom.group", "1"},
                                                      {"cpu", "cpu.max", "150000 100000"},
                                                      {"cpu", "cpu.weight", "79"},
                                                      {"cpuset", "cpuset.cpus", "0-1,3"},
                                                      {"pids", "pids.max", "512"}}));
}

BOOST_AUTO_TEST_CASE(unlimited_is_max) {
    Limits limits;
    limits.swap_max = unlimited;
    limits.pids_max = unlimited;
    BOOST_CHECK(limit_writes(limits) ==
                Writes({{"memory", "memory.swap.max", "max"}, {"pids", "pids.max", "max"}}));
}

BOOST_AUTO_TEST_CASE(zero_is_a_limit_too) {
    Limits limits;
    limits.swap_max = 0;
    BOOST_CHECK(limit_writes(limits) == Writes({{"memory", "memory.swap.max", "0"}}));
}

BOOST_AUTO_TEST_CASE(a_change_writes_only_what_differs) {
    const Limits before = all_limits();
    BOOST_TEST(limit_changes(before, before).empty());
    Limits after = before;
    after.memory_max = 104'857'600;
    after.cpu_period_us = 50'000;
    BOOST_CHECK(limit_changes(before, after) == Writes({{"memory", "memory.max", "104857600"},
                                                        {"cpu", "cpu.max", "150000 50000"}}));
}

BOOST_AUTO_TEST_CASE(a_lifted_limit_becomes_the_kernels_default) {
    BOOST_CHECK(limit_changes(all_limits(), {}) == Writes({{"memory", "memory.max", "max"},
                                                           {"memory", "memory.high", "max"},
                                                           {"memory", "memory.swap.max", "max"},
                                                           {"memory", "memory.oom.group", "0"},
                                                           {"cpu", "cpu.max", "max 100000"},
                                                           {"cpu", "cpu.weight", "100"},
                                                           {"cpuset", "cpuset.cpus", "\n"},
                                                           {"pids", "pids.max", "max"}}));
    BOOST_CHECK(limit_changes({}, all_limits()) == limit_writes(all_limits()));
}

// runc's and systemd's conversion, value by value.
BOOST_AUTO_TEST_CASE(shares_become_a_weight) {
    struct Pair {
        std::uint64_t shares;
        unsigned weight;
    };
    for (const auto& [shares, weight] :
         {Pair{2, 1}, Pair{3, 1}, Pair{28, 1}, Pair{29, 2}, Pair{512, 20}, Pair{1024, 39},
          Pair{2048, 79}, Pair{8000, 306}, Pair{10'000, 382}, Pair{131'072, 5000},
          Pair{262'143, 9999}, Pair{262'144, 10'000}})
        BOOST_TEST(weight_from_shares(shares) == weight, shares);
    BOOST_TEST(weight_from_shares(0) == 1U);
    BOOST_TEST(weight_from_shares(unlimited) == 10'000U);
}

BOOST_AUTO_TEST_SUITE_END()
