// Which request is answered by what: a table of method and path, and one function a row.
#pragma once

#include <asio/awaitable.hpp>

#include "supervisor/api/session.hpp"
#include "supervisor/supervisor.hpp"

namespace mydocker::supervisor::api {

// Answers the request, whatever it is: a Refusal or any other exception becomes an error answer.
asio::awaitable<void> answer(Supervisor& supervisor, Session& session, const Request& request);

}  // namespace mydocker::supervisor::api
