// Containers and hosts back into the keys of host files, by the lists of fields they were read
// with.
#include "config/fields.hpp"
#include "config/load.hpp"

namespace mydocker::config {

std::string dump_json(const Container& container, bool pretty) {
    return to_json(Section<ContainerFields>{}.write(container), pretty);
}

std::string dump_json(const Host& host, bool pretty) {
    Node::Table containers;
    for (const auto& [name, container] : host.containers) {
        containers.push_back({name, {}, Section<ContainerFields>{}.write(container)});
    }
    Node::Table top;
    top.push_back({"version", {}, node_of(std::int64_t{1})});
    top.push_back({"daemon", {}, Section<DaemonFields>{}.write(host.daemon)});
    top.push_back({"container", {}, node_of(std::move(containers))});
    return to_json(node_of(std::move(top)), pretty);
}

}  // namespace mydocker::config
