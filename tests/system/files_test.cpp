// cp, export and diff of containers that run and that do not: what arrives, and that neither links
// nor a hostile container nor a client that dies or dawdles leads to anything else.
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "tests/system/harness.hpp"
#include "tests/system/host_view.hpp"
#include "tests/system/process.hpp"
#include "tests/system/supervision.hpp"

using namespace mydocker::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

void start(const Daemon& daemon, const std::string& name, const std::string& script,
           const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = {"run", "-d", "--name", name};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"/bin/sh", "-c", script});
    const Result result = daemon.ctl(words);
    BOOST_REQUIRE_MESSAGE(result.status == 0, result.err);
}

// Runs until it is stopped, and has `file` once it has done its work.
void start_ready(const Daemon& daemon, const std::string& name, const std::string& script,
                 const std::vector<std::string>& options = {}) {
    start(daemon, name, script + "; echo ready; exec sleep 1000", options);
    BOOST_REQUIRE(eventually([&] { return contains(daemon.ctl({"logs", name}).out, "ready"); }));
}

// Stopped at once; what kills a container otherwise would make it "failed".
void stop(const Daemon& daemon, const std::string& name) {
    BOOST_CHECK_EQUAL(daemon.ctl({"stop", "-t", "0", name}).status, 0);
    BOOST_REQUIRE(daemon.reaches(name, "exited"));
}

void must(const Result& result) {
    BOOST_CHECK_EQUAL(result.status, 0);
    BOOST_CHECK_EQUAL(result.err, "");
}

// How many helpers are at work.
int helpers() {
    int count = 0;
    for (const auto& entry : fs::directory_iterator("/proc"))
        count += read_file(entry.path() / "comm") == "mydocker-files\n" ? 1 : 0;
    return count;
}

// Asks for a file and never reads the answer.
class Dawdler {
public:
    Dawdler(const Daemon& daemon, const std::string& target) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        daemon.socket().string().copy(address.sun_path, sizeof address.sun_path - 1);
        BOOST_REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        const std::string request = "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
        BOOST_REQUIRE(::send(fd_, request.data(), request.size(), 0) > 0);
    }
    ~Dawdler() { ::close(fd_); }
    Dawdler(const Dawdler&) = delete;
    Dawdler& operator=(const Dawdler&) = delete;

private:
    int fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

}  // namespace

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(out_of_a_container_running_or_not) {
    const Daemon daemon;
    const Directory here;
    start_ready(daemon, "web",
                "mkdir -p /opt/t/sub; cd /opt/t; echo text > file; chmod 4750 file; ln -s sub link;"
                "echo leaf > sub/leaf; head -c 50000000 /dev/urandom > /opt/big;"
                "echo odd > 'sub/\xc3\xa9'; sha256sum < /opt/big");
    const std::string sum = daemon.ctl({"logs", "web"}).out.substr(0, 64);
    for (const std::string round : {"runs", "rests"}) {
        BOOST_TEST_CONTEXT(round) {
            const fs::path to = here / round;
            must(daemon.ctl({"cp", "web:/opt/t", to}));
            BOOST_CHECK_EQUAL(read_file(to / "file"), "text\n");
            BOOST_CHECK_EQUAL(read_file(to / "sub/leaf"), "leaf\n");
            BOOST_CHECK_EQUAL(read_file(to / "sub/\xc3\xa9"), "odd\n");
            BOOST_CHECK_EQUAL(fs::read_symlink(to / "link").string(), "sub");
            struct stat status {};
            BOOST_REQUIRE(::stat((to / "file").c_str(), &status) == 0);
            BOOST_CHECK_EQUAL(status.st_mode & 07777, 0750U);  // not set-uid here
            must(daemon.ctl({"cp", "web:/opt/t/file", to / "sub"}));
            BOOST_CHECK_EQUAL(read_file(to / "sub/file"), "text\n");
            must(daemon.ctl({"cp", "-L", "web:opt/t/link", to / "followed"}));
            BOOST_CHECK_EQUAL(read_file(to / "followed/leaf"), "leaf\n");
            must(daemon.ctl({"cp", "web:/opt/big", to / "big"}));
            BOOST_CHECK_EQUAL(run({"sha256sum", to / "big"}).out.substr(0, 64), sum);
            const Result missing = daemon.ctl({"cp", "web:/opt/none", to});
            BOOST_CHECK_EQUAL(missing.status, 1);
            BOOST_CHECK_EQUAL(missing.err, "mydocker-ctl: web: there is no /opt/none\n");
        }
        if (round == "runs") stop(daemon, "web");
    }
    BOOST_CHECK(eventually([] { return helpers() == 0; }));
}

BOOST_AUTO_TEST_CASE(into_a_container_running_or_not) {
    const Daemon daemon;
    const Directory here;
    fs::create_directories(here / "tree/sub");
    write_file(here / "tree/file", "text\n");
    write_file(here / "tree/sub/\xc3\xa9", "odd\n");
    fs::permissions(here / "tree/file", fs::perms(0640));
    fs::create_symlink("sub", here / "tree/link");
    BOOST_REQUIRE(::chown((here / "tree/file").c_str(), 1234, 1235) == 0);
    must(run({"/bin/sh", "-c", "head -c 50000000 /dev/urandom > " + (here / "big").string()}));
    const std::string sum = run({"sha256sum", here / "big"}).out.substr(0, 64);
    const std::string show =
        "cd /opt/tree && cat file sub/* && readlink link && stat -c %a:%u:%g file && "
        "stat -c %u:%g /opt/kept/file && cat /opt/merged/file && cat /opt/as-named/tree/file && "
        "sha256sum < /opt/big";
    for (const bool runs : {true, false}) {
        BOOST_TEST_CONTEXT(runs) {
            const std::string name = runs ? "runs" : "rests";
            const std::vector<std::string> command = {
                "/bin/sh", "-c",
                (runs ? "mkdir /opt/merged /opt/as-named; until [ -e /go ]; do sleep 0.1; done; "
                      : "") +
                    show};
            std::vector<std::string> create = {"create", "--name", name};
            create.insert(create.end(), command.begin(), command.end());
            BOOST_REQUIRE_EQUAL(daemon.ctl(create).status, 0);
            if (runs) BOOST_REQUIRE_EQUAL(daemon.ctl({"start", name}).status, 0);
            const auto copy = [&](const std::vector<std::string>& words) {
                std::vector<std::string> all = {"cp"};
                all.insert(all.end(), words.begin(), words.end());
                must(daemon.ctl(all));
            };
            if (runs) {
                BOOST_REQUIRE(eventually([&] {
                    return contains(daemon.ctl({"diff", name}).out, "/opt/as-named");
                }));
            } else {
                fs::create_directories(here / "empty/merged");
                fs::create_directories(here / "empty/as-named");
                copy({(here / "empty").string() + "/.", name + ":/opt"});
            }
            copy({here / "tree", name + ":/opt"});
            copy({"-a", here / "tree", name + ":/opt/kept"});
            copy({(here / "tree").string() + "/.", name + ":opt/merged/"});
            copy({here / "big", name + ":/opt"});
            const Result piped =
                run({"/bin/sh", "-c",
                     "tar cz -C " + here.path().string() + " tree | " +
                         program("mydocker-ctl").string() + " -H " + daemon.socket().string() +
                         " cp - " + name + ":/opt/as-named"});
            must(piped);
            const auto refused = [&](const fs::path& from, const std::string& to,
                                     const std::string& why) {
                const Result result = daemon.ctl({"cp", from, name + ":" + to});
                BOOST_CHECK_EQUAL(result.status, 1);
                BOOST_CHECK_MESSAGE(contains(result.err, why), result.err);
            };
            refused(here / "none", "/opt", "there is no");
            refused(here / "big", "/none/x", "there is no directory /none");
            refused(here / "tree", "/opt/tree/file", "/opt/tree/file is no directory");
            refused(here / "big", "/opt/new/", "there is no directory /opt/new/");
            if (runs)
                copy({here / "tree/file", name + ":/go"});
            else
                BOOST_REQUIRE_EQUAL(daemon.ctl({"start", name}).status, 0);
            BOOST_REQUIRE(daemon.reaches(name, "exited", 60s));
            BOOST_CHECK_EQUAL(daemon.ctl({"logs", name}).out,
                              "text\nodd\nsub\n640:0:0\n1234:1235\ntext\ntext\n" + sum + "  -\n");
        }
    }
    BOOST_CHECK(eventually([] { return helpers() == 0; }));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_an_error) {
    const Daemon daemon;
    const Directory here;
    write_file(here / "big", std::string(4 << 20, 'x'));
    start_ready(daemon, "web", "true", {"--tmpfs", "/small:size=1m", "--read-only"});
    const Result full = daemon.ctl({"cp", here / "big", "web:/small/big"});
    BOOST_CHECK_EQUAL(full.status, 1);
    BOOST_CHECK_MESSAGE(contains(full.err, "No space left on device"), full.err);
    const Result sealed = daemon.ctl({"cp", here / "big", "web:/etc"});
    BOOST_CHECK_EQUAL(sealed.status, 1);
    BOOST_CHECK_MESSAGE(contains(sealed.err, "Read-only file system"), sealed.err);
    stop(daemon, "web");
    const Result rests = daemon.ctl({"cp", here / "big", "web:/etc"});
    BOOST_CHECK_EQUAL(rests.status, 1);
    BOOST_CHECK_MESSAGE(contains(rests.err, "read-only"), rests.err);
}

// The container turns a directory into a link to a path that exists on the host, and back, as fast
// as it can, while files go into that directory and come out of it.
BOOST_AUTO_TEST_CASE(a_swapped_directory_leads_nowhere_else) {
    const Daemon daemon;
    const Directory here;
    const fs::path root = here / "root";
    make_rootfs(root);
    fs::create_directory(here / "outside");
    write_file(here / "outside/secret", "secret\n");
    fs::create_directories(root / "swap");
    write_file(root / "swap/secret", "mine\n");
    write_file(here / "new", "new\n");
    start_ready(daemon, "trap",
                "ln -s " + (here / "outside").string() +
                    " /link; (while :; do mv -T /swap /dir; mv -T /link /swap; mv -T /swap /link; "
                    "mv -T /dir /swap; done) 2> /dev/null & true",
                {"--rootfs", root, "-v", usr_volume});
    // Chance says what a copy meets: at least six, and until both the directory and a link were.
    int arrived = 0;
    int refused = 0;
    for (int i = 0; i < 6 || ((arrived == 0 || refused == 0) && i < 200); ++i) {
        const Result out = daemon.ctl({"cp", "trap:/swap/secret", here / "got"});
        ++(out.status == 0 ? arrived : refused);
        if (out.status == 0) BOOST_CHECK_EQUAL(read_file(here / "got"), "mine\n");
        daemon.ctl({"cp", here / "new", "trap:/swap/new"});
    }
    BOOST_CHECK_GT(arrived, 0);
    BOOST_CHECK_GT(refused, 0);
    BOOST_CHECK_EQUAL(
        std::distance(fs::directory_iterator(here / "outside"), fs::directory_iterator()), 1);
    BOOST_CHECK_EQUAL(read_file(here / "outside/secret"), "secret\n");
}

BOOST_AUTO_TEST_CASE(a_client_killed_in_the_middle_leaves_nobody_behind) {
    const Daemon daemon;
    start_ready(daemon, "web", "true");
    Process copy({"/bin/sh", "-c",
                  "cat /dev/zero | exec " + program("mydocker-ctl").string() + " -H " +
                      daemon.socket().string() + " cp - web:/opt"});
    Process whole(daemon.ctl_command({"cp", "/usr/lib", "web:/opt"}));
    BOOST_CHECK(eventually([] { return helpers() > 0; }));
    whole.signal(SIGKILL);
    // Zeros are no tar.
    const auto status = copy.wait();
    BOOST_REQUIRE(status.has_value());
    BOOST_CHECK_EQUAL(*status, 1);
    BOOST_CHECK(eventually([] { return helpers() == 0; }));
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

BOOST_AUTO_TEST_CASE(a_links_target_is_looked_for_inside) {
    const Daemon daemon;
    const Directory here;
    const fs::path root = here / "root";
    make_rootfs(root);
    fs::create_directory(here / "outside");
    write_file(here / "outside/secret", "secret\n");
    fs::create_symlink(here / "outside", root / "absolute");
    fs::create_symlink(fs::path("../../../../../..") / (here / "outside").relative_path(),
                       root / "upwards");
    fs::create_symlink(here / "outside/secret", root / "secret");
    start_ready(daemon, "trap", "true", {"--rootfs", root, "-v", usr_volume});
    for (const bool runs : {true, false}) {
        for (const char* path : {"absolute/secret", "upwards/secret", "../../../outside/secret",
                                 "proc/1/root/absolute/secret", "proc/self/root/absolute"}) {
            const Result result =
                daemon.ctl({"cp", "-L", std::string("trap:/") + path, here / "got"});
            BOOST_CHECK_MESSAGE(result.status == 1, path << ": " << result.status << result.err);
            BOOST_CHECK(!fs::exists(here / "got"));
        }
        must(daemon.ctl({"cp", "trap:/secret", here / "link"}));
        BOOST_CHECK(fs::is_symlink(here / "link"));
        fs::remove(here / "link");
        if (runs) stop(daemon, "trap");
    }
    BOOST_CHECK_EQUAL(read_file(here / "outside/secret"), "secret\n");
}

BOOST_AUTO_TEST_CASE(volumes_are_there_while_it_runs) {
    const Daemon daemon;
    const Directory here;
    fs::create_directory(here / "volume");
    write_file(here / "volume/mine", "mine\n");
    start_ready(daemon, "web", "echo x > /tmp/scratch",
                {"-v", (here / "volume").string() + ":/data", "--tmpfs", "/tmp"});
    must(daemon.ctl({"cp", "web:/data/mine", here / "one"}));
    must(daemon.ctl({"cp", "web:/tmp/scratch", here / "two"}));
    BOOST_CHECK_EQUAL(read_file(here / "one") + read_file(here / "two"), "mine\nx\n");
    stop(daemon, "web");
    const Result result = daemon.ctl({"cp", "web:/data/mine", here / "three"});
    BOOST_CHECK_EQUAL(result.status, 1);
    BOOST_CHECK_MESSAGE(contains(result.err, "lies in the volume /data"), result.err);
}

BOOST_AUTO_TEST_CASE(export_is_the_root_without_what_is_mounted_on_it) {
    const Daemon daemon;
    const Directory here;
    const fs::path root = here / "root";
    make_rootfs(root);
    write_file(root / "etc/motd", "hello\n");
    start_ready(daemon, "web", "echo > /made-inside", {"--rootfs", root, "-v", usr_volume});
    const std::string mounts = host_mounts();
    std::vector<std::string> lists;
    for (const bool runs : {true, false}) {
        must(daemon.ctl({"export", "-o", here / "web.tar", "web"}));
        const Result list = run({"tar", "tf", here / "web.tar"});
        must(list);
        lists.push_back(list.out);
        for (const char* name : {"./etc/motd\n", "./made-inside\n", "./usr/\n", "./proc/\n"})
            BOOST_CHECK_MESSAGE(contains(list.out, name), name);
        for (const char* name : {"./usr/bin", "./proc/1", "./dev/null"})
            BOOST_CHECK_MESSAGE(!contains(list.out, name), name);
        BOOST_CHECK(!fs::exists(here / "web.tar.partial"));
        if (runs) stop(daemon, "web");
    }
    BOOST_CHECK_EQUAL(lists.at(0), lists.at(1));
    const Result diff = daemon.ctl({"diff", "web"});
    BOOST_CHECK_EQUAL(diff.status, 1);
    BOOST_CHECK_MESSAGE(contains(diff.err, "rootfs"), diff.err);
    BOOST_CHECK_EQUAL(host_mounts(), mounts);
}

BOOST_AUTO_TEST_CASE(diff_tells_added_changed_and_deleted) {
    const Daemon daemon;
    BOOST_CHECK_EQUAL(daemon.ctl({"create", "--name", "never", "/bin/true"}).status, 0);
    const Result nothing = daemon.ctl({"diff", "never"});
    must(nothing);
    BOOST_CHECK_EQUAL(nothing.out, "");
    // /etc/skel is removed and made anew: an opaque directory.
    start_ready(daemon, "web",
                "mkdir /etc/new; echo > /etc/new/file; echo > /etc/hostname; rm /etc/passwd;"
                "rm -r /etc/skel; mkdir /etc/skel; echo > /etc/skel/mine; touch /etc/fstab");
    const auto lines = lines_of(daemon.ctl({"diff", "web"}).out);
    for (const char* line :
         {"C /etc", "A /etc/new", "A /etc/new/file", "C /etc/hostname", "D /etc/passwd",
          "C /etc/skel", "D /etc/skel/.bashrc", "A /etc/skel/mine"})
        BOOST_CHECK_MESSAGE(std::ranges::count(lines, line) == 1, line);
    for (const char* line : {"C /etc/group", "A /etc/skel", "D /etc/skel", "C /", "C /usr"})
        BOOST_CHECK_MESSAGE(std::ranges::count(lines, line) == 0, line);
    BOOST_CHECK(std::ranges::is_sorted(lines, {}, [](const auto& line) { return line.substr(2); }));
    const auto records = json_lines(daemon.ctl({"--format", "json", "diff", "web"}).out);
    BOOST_CHECK_EQUAL(records.size(), lines.size());
    stop(daemon, "web");
    BOOST_CHECK(lines_of(daemon.ctl({"diff", "web"}).out) == lines);
}

BOOST_AUTO_TEST_CASE(a_client_that_dawdles_holds_up_nothing) {
    const Daemon daemon;
    start_ready(daemon, "web", "truncate -s 1T /opt/endless");
    const auto target = [](const std::string& path) {
        return "/v1/containers/web/archive?path=" + path;
    };
    {
        std::vector<std::unique_ptr<Dawdler>> dawdlers;
        for (int i = 0; i < 8; ++i)
            dawdlers.push_back(std::make_unique<Dawdler>(daemon, target("/opt/endless")));
        BOOST_CHECK(eventually([] { return helpers() == 8; }));
        const auto refused = daemon.api("GET", target("/etc/hosts"));
        BOOST_CHECK_EQUAL(refused.status, 503);
        BOOST_CHECK_MESSAGE(contains(refused.body, "copies are under way"), refused.body);
    }
    // They have gone, and so have their helpers.
    BOOST_CHECK(eventually([] { return helpers() == 0; }));
    BOOST_CHECK(eventually([&] { return daemon.api("GET", target("/etc/hosts")).status == 200; }));
    // A container's end ends what reads it, whoever does not read.
    const Dawdler last(daemon, target("/opt/endless"));
    BOOST_CHECK(eventually([] { return helpers() == 1; }));
    stop(daemon, "web");
    BOOST_CHECK(eventually([] { return helpers() == 0; }));
    // So does a start, of what reads a container at rest.
    const Dawdler another(daemon, target("/opt/endless"));
    BOOST_CHECK(eventually([] { return helpers() == 1; }));
    BOOST_CHECK_EQUAL(daemon.ctl({"start", "web"}).status, 0);
    BOOST_CHECK(eventually([] { return helpers() == 0; }));
    BOOST_CHECK_EQUAL(daemon.state("web"), "running");
}

BOOST_AUTO_TEST_CASE(an_answer_that_breaks_off_is_an_error) {
    const Daemon daemon;
    const Directory here;
    start_ready(daemon, "web", "truncate -s 1T /opt/endless");
    const std::string flows = here / "flows";
    const std::string status = here / "status";
    Process copy({"/bin/sh", "-c",
                  "{ " + program("mydocker-ctl").string() + " -H " + daemon.socket().string() +
                      " cp web:/opt/endless -; echo $? > " + status + "; } | { head -c 300000 > " +
                      flows + "; cat > /dev/null; }"});
    BOOST_CHECK(eventually([&] { return read_file(flows).size() == 300'000; }));
    stop(daemon, "web");
    BOOST_REQUIRE(copy.wait().has_value());
    BOOST_CHECK_EQUAL(read_file(status), "1\n");
    BOOST_CHECK_MESSAGE(contains(copy.err(), "web: it ended while its files were being copied"),
                        copy.err());
}

BOOST_AUTO_TEST_SUITE_END()
