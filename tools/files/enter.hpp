// How mydocker-files gets into a container's root: for good, before it touches any path, with all
// that it will ever load already loaded.
#pragma once

namespace mydocker::files {

// Not dumpable (so nobody in the container can trace it), killed with mydockerd, and with
// libarchive's and the C library's lazily loaded parts loaded from the host.
void prepare();

// Into the root of the mount namespace of a running container's init.
void enter_namespace(int pidfd);
// Into a detached mount. No process of a container lives in it, so chroot(2) is enough.
void enter_mount(int mount);
// From the root of a running container into the same root without anything mounted on it.
void leave_submounts();

}  // namespace mydocker::files
