// See attach_options.hpp.
#include "tools/ctl/attach_options.hpp"

#include "tools/ctl/detach_keys.hpp"
#include "tools/ctl/error.hpp"
#include "tools/ctl/raw_terminal.hpp"

namespace mydocker::ctl {

const Option& detach_keys_option() {
    static const Option option{"--detach-keys", "KEYS",
                               "leave it running (default ctrl-p,ctrl-q; '': no such keys)"};
    return option;
}

const Option& sig_proxy_option() {
    static const Option option{"--sig-proxy", "true|false",
                               "pass signals on to it (default true); false: they end this client"};
    return option;
}

std::string detach_keys_of(const Arguments& arguments) {
    return parse_detach_keys(arguments.get("detach-keys", default_detach_keys));
}

bool proxies_signals(const Arguments& arguments) {
    const std::string text = arguments.get("sig-proxy", "true");
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    throw UsageError("--sig-proxy: '" + text + "' is neither true nor false");
}

std::string attach_path(const std::string& name, const AttachQuery& query) {
    std::string path = container_path(name, "attach");
    char separator = '?';
    const auto add = [&](const std::string& term) {
        path += separator + term;
        separator = '&';
    };
    if (query.input) add("stdin=1");
    if (query.await) add("await=1");
    if (query.once) add("once=1");
    if (query.from) {
        add("from=" + std::to_string(query.from->file) + ':' + std::to_string(query.from->byte));
        add("after=" + std::to_string(query.from->attempt));
    }
    if (const auto size = query.terminal ? window_size() : std::nullopt) {
        add("rows=" + std::to_string(size->rows));
        add("cols=" + std::to_string(size->columns));
    }
    return path;
}

std::function<Exchange(const protocol::Position& seen)> resumption(const Client& client,
                                                                   std::string id,
                                                                   AttachQuery query) {
    return [&client, id = std::move(id), query](const protocol::Position& seen) {
        AttachQuery again = query;
        again.from = seen;
        const Request request{
            .method = "POST", .target = attach_path(id, again), .upgrade = true, .harmless = true};
        return client.open(request, {}, at_once);
    };
}

}  // namespace mydocker::ctl
