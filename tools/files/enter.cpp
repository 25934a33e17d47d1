// See enter.hpp.
#include "tools/files/enter.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "runtime/init/syscalls.hpp"
#include "tools/files/archive.hpp"
#include "tools/files/tree_error.hpp"

namespace mydocker::files {

namespace {

// A name with letters beyond ASCII goes through the C library's character set conversion, which
// reads its tables at the first use: that use is here.
void warm_up() {
    const Utf8Names utf8;
    char memory[16UL << 10];
    std::size_t used = 0;
    const ArchivePtr out(::archive_write_new());
    ::archive_write_set_format_pax_restricted(out.get());
    ::archive_write_open_memory(out.get(), memory, sizeof memory, &used);
    archive_entry* entry = ::archive_entry_new();
    ::archive_entry_set_pathname(entry, "\xc3\xa9/\xff");
    ::archive_entry_set_filetype(entry, AE_IFLNK);
    ::archive_entry_set_symlink(entry, "\xc3\xa9");
    ::archive_write_header(out.get(), entry);
    ::archive_entry_set_pathname(entry, "\xc3\xa9");
    ::archive_write_header(out.get(), entry);
    ::archive_entry_free(entry);
    ::archive_write_close(out.get());

    const ArchivePtr in(::archive_read_new());
    ::archive_read_support_format_tar(in.get());
    ::archive_read_open_memory(in.get(), memory, used);
    while (::archive_read_next_header(in.get(), &entry) >= ARCHIVE_WARN)
        ::archive_entry_pathname(entry);
    // And an exception's way up.
    try {
        throw TreeError(TreeError::Kind::failed, std::strerror(ENOENT));
    } catch (const TreeError&) {
    }
}

void must(int result, const char* step) {
    if (result < 0)
        throw TreeError(TreeError::Kind::failed, std::string(step) + ": " + std::strerror(errno));
}

void move_root_to(int directory) {
    must(::fchdir(directory), "enter the container's root");
    must(::chroot("."), "enter the container's root");
    must(::chdir("/"), "enter the container's root");
}

}  // namespace

void prepare() {
    must(::prctl(PR_SET_DUMPABLE, 0), "become not dumpable");
    must(::prctl(PR_SET_PDEATHSIG, SIGKILL), "ask to die with mydockerd");
    ::umask(022);
    warm_up();
}

void enter_namespace(int pidfd) {
    must(::setns(pidfd, CLONE_NEWNS), "join the container's mount namespace");
    must(::chdir("/"), "enter the container's root");
    ::close(pidfd);
}

void enter_mount(int mount) {
    move_root_to(mount);
    ::close(mount);
}

void leave_submounts() {
    const int root = kernel::open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    must(root, "take the container's root without its volumes");
    move_root_to(root);
    // Kept open: a detached mount is taken apart when its descriptor is closed.
}

}  // namespace mydocker::files
