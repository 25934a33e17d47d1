// What a new host file changes, key by key, and what that takes: nothing, a live change, waiting
// for the next start, or making the container anew. A pure function of two files' contents.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/host.hpp"

namespace mydocker::supervisor {

enum class ChangeKind : std::uint8_t {
    add,       // new in the file
    live,      // written to the kernel or the policy now; the workload is not touched
    next,      // takes effect at the next start; nothing is touched now
    recreate,  // the workload is stopped and started with the new settings
    remove,    // no longer in the file: stopped and removed
    refuse     // daemon settings that need a restart of mydockerd: said, not done
};

struct Change {
    ChangeKind kind;
    std::string container;          // "" for [daemon]
    std::vector<std::string> keys;  // "mem_limit", "restart.delay"; empty for add and remove
    std::string reason;             // one line for people
    bool failed = false;            // tried, and not done: the reason says why
    bool operator==(const Change&) const = default;
};

// Ordered by container name; containers that do not change are not mentioned. A container's changes
// make one Change, of the strongest kind among its keys (recreate, live, next): a recreate does the
// live ones by the way. The daemon's come first and apart, live and then refuse, since doing the
// one does not do the other. Flags that win over the file must be in both daemons already.
std::vector<Change> plan_reload(const config::Daemon& old_daemon,
                                const std::map<std::string, config::Container>& old_containers,
                                const config::Host& fresh);

// The keys in which two containers differ, in the file's spelling, with what each takes. A field
// added to config::Container without a row in reload_plan.cpp does not compile there. The name is
// not compared: it is what makes two of them the same container.
struct KeyChange {
    std::string key;
    ChangeKind kind;
};
std::vector<KeyChange> compare(const config::Container& before, const config::Container& after);

// One container's changes as one Change.
Change change_of(const std::string& container, const std::vector<KeyChange>& changes);

std::string_view name(ChangeKind kind);

}  // namespace mydocker::supervisor
