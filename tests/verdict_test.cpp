// The rules of judgement: the whole product of policy, ending and wish as one golden table, and
// every rule with its sentence.
#include "supervisor/verdict.hpp"

#include <array>
#include <boost/test/unit_test.hpp>
#include <set>
#include <sstream>

#include "tests/judging.hpp"

using namespace mydocker::judging;

namespace {

constexpr std::array policies = {Policy::no,         Policy::always,     Policy::unless_stopped,
                                 Policy::on_failure, Policy::on_success, Policy::on_abnormal};

}  // namespace

BOOST_AUTO_TEST_SUITE(verdicts)

BOOST_AUTO_TEST_CASE(every_policy_ending_and_wish) {
    const std::string golden = R"(
no             | code 0        | exited success  | exited operator-stop | restart operator-restart
no             | code 3        | failed policy   | exited operator-stop | restart operator-restart
no             | signal        | failed policy   | exited operator-stop | restart operator-restart
no             | oom           | failed policy   | exited operator-stop | restart operator-restart
no             | start-error   | failed policy   | exited operator-stop | restart operator-restart
no             | start-timeout | failed policy   | exited operator-stop | restart operator-restart
always         | code 0        | restart policy  | exited operator-stop | restart operator-restart
always         | code 3        | restart policy  | exited operator-stop | restart operator-restart
always         | signal        | restart policy  | exited operator-stop | restart operator-restart
always         | oom           | restart policy  | exited operator-stop | restart operator-restart
always         | start-error   | restart policy  | exited operator-stop | restart operator-restart
always         | start-timeout | restart policy  | exited operator-stop | restart operator-restart
unless-stopped | code 0        | restart policy  | exited operator-stop | restart operator-restart
unless-stopped | code 3        | restart policy  | exited operator-stop | restart operator-restart
unless-stopped | signal        | restart policy  | exited operator-stop | restart operator-restart
unless-stopped | oom           | restart policy  | exited operator-stop | restart operator-restart
unless-stopped | start-error   | restart policy  | exited operator-stop | restart operator-restart
unless-stopped | start-timeout | restart policy  | exited operator-stop | restart operator-restart
on-failure     | code 0        | exited success  | exited operator-stop | restart operator-restart
on-failure     | code 3        | restart policy  | exited operator-stop | restart operator-restart
on-failure     | signal        | restart policy  | exited operator-stop | restart operator-restart
on-failure     | oom           | restart policy  | exited operator-stop | restart operator-restart
on-failure     | start-error   | restart policy  | exited operator-stop | restart operator-restart
on-failure     | start-timeout | restart policy  | exited operator-stop | restart operator-restart
on-success     | code 0        | restart policy  | exited operator-stop | restart operator-restart
on-success     | code 3        | failed policy   | exited operator-stop | restart operator-restart
on-success     | signal        | failed policy   | exited operator-stop | restart operator-restart
on-success     | oom           | failed policy   | exited operator-stop | restart operator-restart
on-success     | start-error   | failed policy   | exited operator-stop | restart operator-restart
on-success     | start-timeout | failed policy   | exited operator-stop | restart operator-restart
on-abnormal    | code 0        | exited success  | exited operator-stop | restart operator-restart
on-abnormal    | code 3        | failed policy   | exited operator-stop | restart operator-restart
on-abnormal    | signal        | restart policy  | exited operator-stop | restart operator-restart
on-abnormal    | oom           | restart policy  | exited operator-stop | restart operator-restart
on-abnormal    | start-error   | failed policy   | exited operator-stop | restart operator-restart
on-abnormal    | start-timeout | restart policy  | exited operator-stop | restart operator-restart
)";
    std::ostringstream table;
    table << std::left << '\n';
    for (const Policy which : policies)
        for (const Ending& ending :
             {exited(0), exited(3), killed(11), out_of_memory(), start_error(), start_timeout()}) {
            table.width(14);
            table << name(which) << " | ";
            table.width(13);
            table << (!ending.cause                 ? "code 0"
                      : ending.cause == Cause::exit ? "code 3"
                                                    : name(*ending.cause));
            table << " | ";
            table.width(15);
            table << compact(judge(policy(which), ending, {}, Wish::up, middle).verdict) << " | ";
            table.width(20);
            table << compact(judge(policy(which), ending, {}, Wish::down, middle).verdict);
            table << " | "
                  << compact(judge(policy(which), ending, {}, Wish::bounce, middle).verdict)
                  << '\n';
        }
    BOOST_TEST(table.str() == golden);
}

BOOST_AUTO_TEST_CASE(classification) {
    Restart restart;
    restart.success_exit_codes = {0, 7};
    const auto cause = [&](Observed observed) { return classify(observed, restart); };
    const auto code = [](int number, std::uint64_t oom_kills = 0) {
        return Observed{
            .executed = true, .exit_code = number, .signal = {}, .oom_kills = oom_kills};
    };
    const auto signal = [](int number, std::uint64_t oom_kills = 0) {
        return Observed{
            .executed = true, .exit_code = {}, .signal = number, .oom_kills = oom_kills};
    };
    BOOST_CHECK(!cause(code(0)));
    BOOST_CHECK(!cause(code(7)));
    BOOST_CHECK(cause(code(3)) == Cause::exit);
    BOOST_CHECK(cause(code(143)) == Cause::exit);
    for (const int number : {1, 2, 9, 11, 13, 15})
        BOOST_CHECK(cause(signal(number)) == Cause::signal);

    BOOST_CHECK(!cause(code(0, 5)));  // it lived with the loss of a worker
    BOOST_CHECK(cause(code(1, 1)) == Cause::oom);
    BOOST_CHECK(cause(signal(9, 1)) == Cause::oom);
    Observed stopped = code(0, 1);
    stopped.oom_stopped = true;
    BOOST_CHECK(cause(stopped) == Cause::oom);

    Observed failed;  // no init was made
    BOOST_CHECK(cause(failed) == Cause::start_error);
    failed.exit_code = 0;  // an init that ended without its exec has not succeeded
    BOOST_CHECK(cause(failed) == Cause::start_error);
    failed.start_timed_out = true;
    BOOST_CHECK(cause(failed) == Cause::start_timeout);
    failed.oom_kills = 1;
    BOOST_CHECK(cause(failed) == Cause::oom);

    restart.success_exit_codes = {};
    BOOST_CHECK(cause(code(0)) == Cause::exit);
    Observed unseen;
    unseen.executed = true;
    BOOST_CHECK(cause(unseen) == Cause::exit);  // never clean by default
}

BOOST_AUTO_TEST_CASE(the_operator_comes_first) {
    Restart restart = policy(Policy::always, 1);
    restart.force_on = {{Status::Kind::code, 3}};
    const History used{7, {Time{1h}}};

    const Judged down = judge(restart, exited(3), used, Wish::down, middle);
    BOOST_TEST(!down.verdict.restart);
    BOOST_TEST(!down.verdict.failed);
    BOOST_TEST(down.verdict.reason == "stopped by the operator; exited with code 3");
    BOOST_CHECK(down.history == History{});

    restart.prevent_on = {{Status::Kind::code, 3}};
    const Judged bounce = judge(restart, exited(3), used, Wish::bounce, middle);
    BOOST_TEST(bounce.verdict.restart);
    BOOST_CHECK(bounce.verdict.delay == 0s);
    BOOST_TEST(bounce.verdict.reason == "restarted by the operator; exited with code 3");
    BOOST_CHECK(bounce.history == History{});

    Ending early = start_timeout();
    early.cause = Cause::start_error;
    BOOST_TEST(judge(restart, early, {}, Wish::down, middle).verdict.reason ==
               "stopped by the operator before it ran");
}

BOOST_AUTO_TEST_CASE(prevent_on_then_force_on_then_success) {
    Restart restart = policy(Policy::on_failure);
    restart.prevent_on = {{Status::Kind::code, 78}, {Status::Kind::signal, 31}};
    restart.force_on = {
        {Status::Kind::code, 78}, {Status::Kind::code, 75}, {Status::Kind::code, 0}};

    const Verdict prevented = verdict(restart, exited(78));
    BOOST_TEST(compact(prevented) == "failed prevent_on");
    BOOST_TEST(prevented.reason == "exited with code 78; not restarted (prevent_on lists it)");
    BOOST_TEST(compact(verdict(restart, killed(31))) == "failed prevent_on");
    // A code is not a signal of the same number.
    BOOST_TEST(compact(verdict(restart, killed(78))) == "restart policy");
    BOOST_TEST(compact(verdict(restart, exited(31))) == "restart policy");

    const Verdict forced = verdict(restart, exited(0));
    BOOST_TEST(compact(forced) == "restart force_on");
    BOOST_TEST(forced.reason == "exited with code 0; restart 1 in 100ms (force_on lists it)");
    restart.policy = Policy::no;
    BOOST_TEST(compact(verdict(restart, exited(75))) == "restart force_on");
    restart.on = {Cause::oom};
    BOOST_TEST(compact(verdict(restart, exited(75))) == "restart force_on");
    BOOST_TEST(compact(verdict(restart, exited(74))) == "failed policy");

    restart.prevent_on = {{Status::Kind::code, 0}};
    BOOST_TEST(compact(verdict(restart, exited(0))) == "exited prevent_on");

    // Not the workload's own code: it never ran.
    restart.prevent_on = {{Status::Kind::code, 0}, {Status::Kind::signal, 0}};
    restart.policy = Policy::on_failure;
    restart.on.clear();
    BOOST_TEST(compact(verdict(restart, start_error())) == "restart policy");
}

BOOST_AUTO_TEST_CASE(on_restricts_causes_but_not_clean_ends) {
    Restart restart = policy(Policy::always);
    restart.on = {Cause::signal, Cause::oom};
    BOOST_TEST(compact(verdict(restart, exited(0))) == "restart policy");
    BOOST_TEST(compact(verdict(restart, killed(11))) == "restart policy");
    const Verdict kept = verdict(restart, start_error());
    BOOST_TEST(compact(kept) == "failed policy");
    BOOST_TEST(kept.reason ==
               "could not start: execute /bin/x: No such file or directory; "
               "not restarted (`on` does not list start-error)");
    restart.policy = Policy::on_abnormal;
    restart.on = {Cause::exit, Cause::oom};
    BOOST_TEST(compact(verdict(restart, exited(3))) == "failed policy");
    BOOST_TEST(compact(verdict(restart, killed(11))) == "failed policy");
    BOOST_TEST(compact(verdict(restart, out_of_memory())) == "restart policy");
}

BOOST_AUTO_TEST_CASE(sentences) {
    BOOST_TEST(verdict(policy(Policy::no), exited(0)).reason ==
               "exited with code 0; not restarted (a success; policy no)");
    BOOST_TEST(verdict(policy(Policy::no), killed(11)).reason ==
               "killed by SIGSEGV; not restarted (policy no)");
    BOOST_TEST(verdict(policy(Policy::on_success), out_of_memory()).reason ==
               "ran out of memory (killed by SIGKILL); not restarted (policy on-success)");
    BOOST_TEST(verdict(policy(Policy::always), start_timeout(), {2, {}}).reason ==
               "did not start in time; restart 3 in 400ms (always)");
    BOOST_TEST(verdict(policy(Policy::on_failure, 5), exited(3), {1, {}}).reason ==
               "exited with code 3; restart 2 of 5 in 200ms (on-failure)");
    BOOST_TEST(
        verdict(policy(Policy::on_failure, 5, 10min), exited(3), {1, {Time{59min}}}).reason ==
        "exited with code 3; restart 2 of 5 within 10m, in 200ms (on-failure)");
    Restart at_once = policy(Policy::always);
    at_once.delay = 0s;
    BOOST_TEST(verdict(at_once, exited(0)).reason ==
               "exited with code 0; restart 1 at once (always)");
    // Jittered delays are said to the millisecond, or to the second where there are minutes.
    BOOST_TEST(judge(policy(Policy::always), exited(1), {}, Wish::up, 0.123).verdict.reason ==
               "exited with code 1; restart 1 in 92ms (always)");
    BOOST_TEST(judge(policy(Policy::always), exited(1), {12, {}}, Wish::up, 0.123).verdict.reason ==
               "exited with code 1; restart 13 in 55.476s (always)");

    Ending ending = start_error();
    ending.cause = Cause::oom;
    ending.error = "";
    BOOST_TEST(describe(ending) == "ran out of memory while starting");
    ending.cause = Cause::start_timeout;
    ending.error = "mount proc";
    BOOST_TEST(describe(ending) == "did not start in time: mount proc");
    ending = killed(9);
    ending.cause = Cause::start_error;
    BOOST_TEST(describe(ending) == "could not start (killed by SIGKILL)");
}

BOOST_AUTO_TEST_CASE(policies_in_words) {
    BOOST_TEST(describe(policy(Policy::no)) == "no");
    BOOST_TEST(describe(policy(Policy::on_failure)) == "on-failure, 100ms x2 up to 1m");
    BOOST_TEST(describe(policy(Policy::on_failure, 5, 10min)) ==
               "on-failure, 100ms x2 up to 1m, 5 in 10m, then fail");
    Restart restart = policy(Policy::always, 3, 0s, OnLimit::shutdown);
    restart.multiplier = 1.0;
    restart.on = {Cause::signal, Cause::oom};
    restart.prevent_on = {{Status::Kind::code, 78}, {Status::Kind::signal, 31}};
    BOOST_TEST(describe(restart) ==
               "always if signal or oom, never on 78 or SIGSYS, 100ms, 3 in a row, then shut down");
    restart = policy(Policy::no, 1, 1min, OnLimit::delay);
    restart.force_on = {{Status::Kind::code, 75}};
    restart.delay = 0s;
    BOOST_TEST(describe(restart) == "no, always on 75, at once, 1 in 1m, then wait");
    restart.delay = 1s;
    restart.multiplier = 1.5;
    BOOST_TEST(describe(restart) == "no, always on 75, 1s x1.5 up to 1m, 1 in 1m, then wait");
    std::set<std::string_view> names;
    for (int rule = 0; rule <= static_cast<int>(Rule::interrupted); ++rule)
        names.insert(name(static_cast<Rule>(rule)));
    BOOST_TEST(names.size() == 8U);
}

BOOST_AUTO_TEST_SUITE_END()
