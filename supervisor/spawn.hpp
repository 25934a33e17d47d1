// Starts a coroutine that belongs to nobody, and never loses its exception: it is logged with the
// coroutine's name. asio::detached would swallow it.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <exception>
#include <string>

#include "supervisor/log.hpp"

namespace mydocker::supervisor {

template <class Executor>
void spawn(const Executor& executor, std::string what, asio::awaitable<void> coroutine) {
    asio::co_spawn(executor, std::move(coroutine),
                   [what = std::move(what)](const std::exception_ptr& error) {
                       if (!error) return;
                       try {
                           std::rethrow_exception(error);
                       } catch (const std::exception& exception) {
                           log::error("{}: {}", what, exception.what());
                       }
                   });
}

}  // namespace mydocker::supervisor
