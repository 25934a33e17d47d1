// See scene.hpp.
#include "tools/bench/scene.hpp"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <stdexcept>
#include <system_error>
#include <thread>

namespace mydocker::bench {

namespace fs = std::filesystem;

namespace {

constexpr long cgroup2_magic = 0x63677270;  // CGROUP2_SUPER_MAGIC of <linux/magic.h>

void check(int result, const std::string& step) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), step);
}

bool is_cgroup2(const char* path) {
    struct statfs status {};
    return ::statfs(path, &status) == 0 && status.f_type == cgroup2_magic;
}

// On a hybrid host cgroup v2 stands beside the v1 controllers: in here it takes their place, and
// the host's mounts stay as they are.
void show_cgroup2_alone() {
    if (is_cgroup2("/sys/fs/cgroup")) return;
    if (!is_cgroup2("/sys/fs/cgroup/unified"))
        throw std::runtime_error(
            "neither /sys/fs/cgroup nor /sys/fs/cgroup/unified is cgroup v2: nothing to measure "
            "here (tools/vm has it)");
    check(::mount("/sys/fs/cgroup/unified", "/sys/fs/cgroup", nullptr, MS_BIND, nullptr),
          "bind cgroup v2 over /sys/fs/cgroup");
}

}  // namespace

fs::path program(const std::string& name) {
    return fs::read_symlink("/proc/self/exe").parent_path() / name;
}

Scene::Scene() {
    if (::geteuid() != 0) throw std::runtime_error("run it as root: it makes containers");
    check(::unshare(CLONE_NEWNS), "make a mount namespace");
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make the mounts private");
    show_cgroup2_alone();

    char pattern[] = "/tmp/mydocker-bench-XXXXXX";
    if (::mkdtemp(pattern) == nullptr) check(-1, "make a scratch directory");
    scratch_ = pattern;
    check(::mount("tmpfs", scratch_.c_str(), "tmpfs", 0, "mode=700"), "mount a scratch tmpfs");
    for (const char* name : {"", "proc", "dev", "sys"}) fs::create_directories(rootfs() / name);
    for (const char* name : {"mydocker-true", "mydocker-pause"})
        fs::copy_file(program(name), rootfs() / name);
    const int mark = ::open((rootfs() / "mark").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    check(mark, "make the file of marks");
    ::close(mark);

    const std::string number = std::to_string(::getpid());
    parent_name_ = "/mydocker-bench-" + number;
    cgroup_ = "/sys/fs/cgroup/mydocker-floor-" + number;
    check(::mkdir(cgroup_.c_str(), 0755), "make the cgroup " + cgroup_.string());
}

Scene::~Scene() {
    ::rmdir(cgroup_.c_str());
    ::umount2(scratch_.c_str(), MNT_DETACH);
    ::rmdir(scratch_.c_str());
}

void Scene::add_mounts(unsigned count) const {
    const fs::path target = scratch_ / "many";
    fs::create_directory(target);
    for (unsigned i = 0; i < count; ++i) {
        const fs::path each = target / std::to_string(i);
        fs::create_directory(each);
        check(::mount(each.c_str(), each.c_str(), nullptr, MS_BIND, nullptr),
              "mount number " + std::to_string(i));
    }
}

Marks::Marks(const Scene& scene)
    : fd_(::open((scene.rootfs() / "mark").c_str(), O_RDONLY | O_CLOEXEC)) {
    check(fd_, "open the file of marks");
}

Marks::~Marks() { ::close(fd_); }

Nanoseconds Marks::next() {
    using namespace std::chrono_literals;
    for (int patience = 0; patience < 50'000; ++patience) {
        Nanoseconds mark = 0;
        if (::read(fd_, &mark, sizeof mark) == sizeof mark) return mark;
        std::this_thread::sleep_for(200us);
    }
    throw std::runtime_error("a workload was started and did not run within 10 s");
}

void Marks::skip() { check(static_cast<int>(::lseek(fd_, 0, SEEK_END)), "seek"); }

}  // namespace mydocker::bench
