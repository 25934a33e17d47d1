// See file_access.hpp.
#include "supervisor/file_access.hpp"

#include <fcntl.h>

#include <algorithm>

#include "runtime/error.hpp"
#include "runtime/init/syscalls.hpp"
#include "runtime/root.hpp"
#include "supervisor/container.hpp"
#include "supervisor/supervisor.hpp"
#include "supervisor/translate.hpp"

namespace mydocker::supervisor {

namespace {

bool runs(const Container& container) {
    return container.state() >= State::running && container.state() <= State::stopping;
}

bool rests(const Container& container) {
    return container.state() == State::idle || container.state() == State::waiting;
}

std::shared_ptr<runtime::UniqueFd> shared(runtime::UniqueFd fd) {
    return std::make_shared<runtime::UniqueFd>(std::move(fd));
}

}  // namespace

FileAccess::FileAccess(const Services& services, std::string program)
    : services_(services), program_(std::move(program)) {}

std::shared_ptr<runtime::UniqueFd> FileAccess::mount_of(const Container& container) {
    std::erase_if(mounts_, [](const auto& entry) { return entry.second.expired(); });
    auto& known = mounts_[container.id()];
    if (auto mount = known.lock()) return mount;
    const auto directory = services_.store.directory(container.id());
    auto mount = shared(runtime::open_root(translate(container.config(), directory).root));
    // Whatever device nodes it holds, nobody is to open one by mistake.
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NODEV;
    runtime::must(kernel::mount_setattr(mount->get(), "", AT_EMPTY_PATH, &attributes),
                  "bar devices in " + container.name());
    known = mount;
    return mount;
}

FileAccess::Entry FileAccess::enter(const ContainerPtr& container) {
    const std::uint64_t attempt = container->attempts();
    if (runs(*container))
        return {"namespace", shared(container->open_init()), [container, attempt] {
                    return runs(*container) && container->attempts() == attempt
                               ? ""
                               : "it ended while its files were being copied";
                }};
    if (!rests(*container))
        throw Refusal{"conflict", container->name() + " is " +
                                      std::string(shown_state(*container)) +
                                      ": try again when it runs or rests"};
    Entry entry{"mount", mount_of(*container), [container, attempt]() -> std::string {
                    if (container->discarded()) return "it was removed";
                    const bool same = rests(*container) || container->state() == State::queued;
                    return same && container->attempts() == attempt
                               ? ""
                               : "it was started while its files were being copied";
                }};
    for (const config::Volume& volume : container->config().volumes)
        entry.hidden.push_back(volume.target);
    for (const config::Tmpfs& tmpfs : container->config().tmpfs)
        entry.hidden.push_back(tmpfs.target);
    return entry;
}

FileAccess::HelperPtr FileAccess::begin(const ContainerPtr& container,
                                        std::vector<std::string> words,
                                        const std::vector<int>& entered, FileHelper::Still still,
                                        bool with_input) {
    words.insert(words.begin(), program_);
    const auto helper =
        std::make_shared<FileHelper>(services_.executor, words, entered, with_input);
    helpers_.push_back(helper);
    helper->watch(container, std::move(still));
    return helper;
}

void FileAccess::make_room() {
    // One that has ended may still be held by a handler whose client does not read.
    std::erase_if(helpers_, [](const auto& each) {
        const auto helper = each.lock();
        return !helper || helper->ended();
    });
    if (helpers_.size() >= most)
        throw Refusal{"busy", "already " + std::to_string(most) +
                                  " copies are under way: try again when one is done"};
}

FileAccess::HelperPtr FileAccess::work(const ContainerPtr& container, const char* action,
                                       std::string flags, const std::string& path,
                                       bool with_input) {
    make_room();
    Entry entry = enter(container);
    std::vector<std::string> words{action, entry.word};
    if (!path.empty()) {
        words.push_back(flags.empty() ? "-" : std::move(flags));
        words.push_back(path);
        words.insert(words.end(), entry.hidden.begin(), entry.hidden.end());
    }
    const int fd = entry.fd->get();
    // The descriptor goes with the last copy of this function.
    return begin(
        container, std::move(words), {fd},
        [still = std::move(entry.still), kept = std::move(entry.fd)] { return still(); },
        with_input);
}

FileAccess::HelperPtr FileAccess::pack(const ContainerPtr& container, const std::string& path,
                                       std::string flags) {
    return work(container, "pack", std::move(flags), path, false);
}

FileAccess::HelperPtr FileAccess::unpack(const ContainerPtr& container, const std::string& path,
                                         std::string flags) {
    if (container->config().read_only && rests(*container))
        throw Refusal{"conflict", container->name() + "'s root is read-only (read_only = true)"};
    return work(container, "unpack", std::move(flags), path, true);
}

FileAccess::HelperPtr FileAccess::export_root(const ContainerPtr& container) {
    return work(container, "export", "", "", false);
}

FileAccess::HelperPtr FileAccess::changes(const ContainerPtr& container) {
    make_room();
    const runtime::Root root =
        translate(container->config(), services_.store.directory(container->id())).root;
    if (root.upper.empty())
        throw Refusal{"conflict", container->name() + " uses rootfs = \"" + root.path +
                                      "\" as it is: it has no layer of its own to compare with"};
    const runtime::UniqueFd upper(
        ::open(root.upper.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!upper && errno == ENOENT) return nullptr;
    runtime::must(upper.get(), "open " + root.upper);
    // As the overlay sees it: without what is mounted below.
    const runtime::UniqueFd lower(runtime::must(
        kernel::open_tree(AT_FDCWD, root.path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
        "open " + root.path));
    return begin(
        container, {"changes"}, {upper.get(), lower.get()},
        [container] { return container->discarded() ? "it was removed" : ""; }, false);
}

void FileAccess::close() {
    for (const auto& each : helpers_)
        if (const auto helper = each.lock()) helper->kill("mydockerd is ending");
}

}  // namespace mydocker::supervisor
