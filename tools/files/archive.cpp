// See archive.hpp.
#include "tools/files/archive.hpp"

#include <archive.h>

namespace mydocker::files {

void ArchiveFree::operator()(archive* handle) const { ::archive_free(handle); }

Utf8Names::Utf8Names() {
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    before_ = ::uselocale(utf8);  // where it could not be had, null: nothing changes
}

Utf8Names::~Utf8Names() { ::uselocale(before_); }

}  // namespace mydocker::files
