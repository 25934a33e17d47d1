// What both directions need of libarchive: its handle with a destructor, and names as it wants
// them.
#pragma once

#include <locale.h>

#include <memory>

struct archive;

namespace mydocker::files {

struct ArchiveFree {
    void operator()(archive* handle) const;
};
using ArchivePtr = std::unique_ptr<archive, ArchiveFree>;

// While it lives, this thread's character set is UTF-8, as that of names in a tar is: libarchive
// would lose names beyond ASCII in the "C" locale. The locale is loaded once.
class Utf8Names {
public:
    Utf8Names();
    ~Utf8Names();
    Utf8Names(const Utf8Names&) = delete;
    Utf8Names& operator=(const Utf8Names&) = delete;

private:
    locale_t before_;
};

}  // namespace mydocker::files
