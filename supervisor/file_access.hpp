// The way to a container's files, for cp, export and diff: which root stands for it now, and a
// mydocker-files to work there. Nothing here touches a path inside a container. A copy in a
// container at rest never holds up its start: it is ended by it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "supervisor/file_helper.hpp"
#include "supervisor/services.hpp"

namespace mydocker::supervisor {

class FileAccess {
public:
    static constexpr std::size_t most = 8;  // copies at once

    FileAccess(const Services& services, std::string program);

    using ContainerPtr = std::shared_ptr<Container>;
    using HelperPtr = std::shared_ptr<FileHelper>;
    // Each begins one run of mydocker-files, or throws Refusal. Flags are that program's.
    HelperPtr pack(const ContainerPtr& container, const std::string& path, std::string flags);
    HelperPtr unpack(const ContainerPtr& container, const std::string& path, std::string flags);
    HelperPtr export_root(const ContainerPtr& container);
    HelperPtr changes(const ContainerPtr& container);  // null: it has never run, nothing can be

    void close();  // ends all of them

private:
    struct Entry {
        std::string word;                       // what `fd` is, in mydocker-files' language
        std::shared_ptr<runtime::UniqueFd> fd;  // kept until the copy has ended
        FileHelper::Still still;
        std::vector<std::string> hidden = {};
    };
    void make_room();  // throws Refusal where there is none
    Entry enter(const ContainerPtr& container);
    std::shared_ptr<runtime::UniqueFd> mount_of(const Container& container);
    HelperPtr begin(const ContainerPtr& container, std::vector<std::string> words,
                    const std::vector<int>& entered, FileHelper::Still still, bool with_input);
    HelperPtr work(const ContainerPtr& container, const char* action, std::string flags,
                   const std::string& path, bool with_input);

    const Services& services_;
    std::string program_;
    std::vector<std::weak_ptr<FileHelper>> helpers_;
    // Of containers at rest, by id: two copies at once share one overlay, since the kernel leaves
    // open what two on the same writable layer would do.
    std::map<std::string, std::weak_ptr<runtime::UniqueFd>> mounts_;
};

}  // namespace mydocker::supervisor
