// The only file of the client that knows Boost.Beast (its parser compiles slowly); it is fed by
// hand, so that no Boost.Asio I/O takes part.
#include "tools/ctl/http_response.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional.hpp>
#include <limits>
#include <utility>

#include "supervisor/protocol/protocol.hpp"
#include "tools/ctl/error.hpp"

namespace mydocker::ctl {

namespace http = boost::beast::http;

namespace {

// A Beast body that keeps nothing: every piece goes to a function at once.
struct ForwardingBody {
    using value_type = std::function<void(std::string_view)>;

    class reader {
    public:
        template <bool is_request, class Fields>
        reader(http::header<is_request, Fields>&, value_type& target) : target_(target) {}

        void init(const boost::optional<std::uint64_t>&, boost::system::error_code& error) {
            error = {};
        }

        template <class Buffers>
        std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
            error = {};
            std::size_t total = 0;
            for (auto it = boost::asio::buffer_sequence_begin(buffers);
                 it != boost::asio::buffer_sequence_end(buffers); ++it) {
                const boost::asio::const_buffer buffer = *it;
                target_({static_cast<const char*>(buffer.data()), buffer.size()});
                total += buffer.size();
            }
            return total;
        }

        void finish(boost::system::error_code& error) { error = {}; }

    private:
        value_type& target_;
    };
};

constexpr int switching_protocols = 101;

[[noreturn]] void broken(const std::string& why) {
    throw Failure("mydockerd's answer makes no sense: " + why, protocol::exit_daemon);
}

}  // namespace

struct HttpResponse::State {
    http::response_parser<ForwardingBody> parser;
    Sink sink;
    std::string body;
    std::string unread;  // the start of a header or chunk header that is not complete yet

    explicit State(Sink target) : sink(std::move(target)) {
        parser.eager(true);
        parser.header_limit(static_cast<std::uint32_t>(protocol::max_header_bytes));
        // Not boost::none: Beast 1.74 finds every Content-Length larger than that.
        parser.body_limit(std::numeric_limits<std::uint64_t>::max());
        parser.get().body() = [this](std::string_view bytes) { take(bytes); };
    }

    void take(std::string_view bytes) {
        if (sink && parser.get().result_int() / 100 == 2) return sink(bytes);
        if (body.size() + bytes.size() > max_collected_bytes) broken("it is longer than 64 MiB");
        body.append(bytes);
    }
};

HttpResponse::HttpResponse(Sink sink) : state_(std::make_unique<State>(std::move(sink))) {}
HttpResponse::~HttpResponse() = default;
HttpResponse::HttpResponse(HttpResponse&&) noexcept = default;
HttpResponse& HttpResponse::operator=(HttpResponse&&) noexcept = default;

void HttpResponse::feed(std::string_view bytes) {
    State& state = *state_;
    state.unread.append(bytes);
    std::size_t used = 0;
    while (used < state.unread.size() && !state.parser.is_done()) {
        boost::system::error_code error;
        const std::size_t taken = state.parser.put(
            boost::asio::buffer(state.unread.data() + used, state.unread.size() - used), error);
        used += taken;
        if (error == http::error::need_more || (!error && taken == 0)) break;
        if (error) broken(error.message());
    }
    state.unread.erase(0, used);
    if (state.parser.is_done() && status() == switching_protocols) return;
    if (state.parser.is_done() && !state.unread.empty()) broken("bytes after its end");
    if (state.unread.size() > protocol::max_header_bytes) broken("its header is too long");
}

void HttpResponse::end_of_stream() {
    State& state = *state_;
    if (state.parser.is_done()) return;
    boost::system::error_code error;
    if (state.parser.got_some() && state.unread.empty()) state.parser.put_eof(error);
    if (error || !state.parser.is_done()) {
        const bool begun = state.parser.got_some() || !state.unread.empty();
        throw Disconnected(begun ? "mydockerd closed the connection in the middle of its answer"
                                 : "mydockerd closed the connection without an answer",
                           protocol::exit_daemon, begun);
    }
}

bool HttpResponse::has_header() const { return state_->parser.is_header_done(); }
bool HttpResponse::done() const { return state_->parser.is_done(); }
int HttpResponse::status() const {
    return has_header() ? static_cast<int>(state_->parser.get().result_int()) : 0;
}
std::string HttpResponse::take_rest() { return std::exchange(state_->unread, {}); }
std::string HttpResponse::trailer(std::string_view name) const {
    const auto& fields = state_->parser.get();
    const auto it = fields.find(boost::beast::string_view(name.data(), name.size()));
    if (it == fields.end()) return {};
    return {it->value().data(), it->value().size()};
}
const std::string& HttpResponse::body() const { return state_->body; }

}  // namespace mydocker::ctl
