// The control API's fixed words, shared by mydockerd and its clients: HTTP/1.1 with JSON over a
// Unix socket. This header and stream.hpp are all that a client needs to know of the supervisor; no
// code here reads or writes a socket.
//
// clang-format off
//   GET    /v1/version                         {"version","api","pid","instance"}: another instance, another mydockerd
//   GET    /v1/info                            the daemon: paths, cgroup, controllers, counts, warnings
//   POST   /v1/shutdown                        202, then stops every container and ends
//   POST   /v1/reload[?plan=1]                 {"changes":[{"container","action","keys":[…],"reason","failed"}],"applied"}
//   POST   /v1/up, /v1/down                    {"names":[…]}, empty or absent: all -> {"changes":[…]}
//   GET    /v1/containers[?all=1]              [summary…]
//   POST   /v1/containers                      {"name"?,"auto_remove"?,"container":{TOML keys}} -> 201 {"id","name","warnings":[…]}
//   GET    /v1/containers/{name}               inspect: summary and everything else
//   DELETE /v1/containers/{name}[?force=1]     204
//   POST   /v1/containers/{name}/start         200 {"state",…} once it runs, or 409/500 with the reason
//   POST   /v1/containers/{name}/stop[?timeout=SECONDS]   200 once it has ended
//   POST   /v1/containers/{name}/restart[?timeout=SECONDS]
//   POST   /v1/containers/{name}/kill[?signal=SIGTERM]    204; default SIGKILL
//   POST   /v1/containers/{name}/pause         200 {"state",…} once every process stands still; …/unpause: once they go on
//   POST   /v1/containers/{name}/wait[?condition=C]   200 {"exit_code","state","reason"} once C is met: stopped (or
//          not-running; the default: neither runs nor is due to), running, paused, removed, next-exit (an attempt ends,
//          though it is restarted); 409 when it is removed before. &attempt=N: of attempt N or a later one, though
//          it be over (stopped, next-exit): who asks again after a break names the same one
//   POST   /v1/containers/{name}/attach[?stdin=1][&await=1][&once=1][&rows=R&cols=C]   becomes a framed stream (stream.hpp) of
//            what it writes from now on; await: of one at rest, from its next start; once: this connection's end is stdin's;
//            from=FILE:BYTE[&after=ATTEMPT]: from where a stream that broke was, though it has ended since
//   POST   /v1/containers/{name}/exec          {"command":[…],"environment"?,"user"?,"working_dir"?,"tty"?,"stdin"?,"privileged"?,
//            "rows"?,"cols"?} becomes a framed stream; with "detach":true 200 {"id","pid"}
//   POST   /v1/containers/{name}/update        {TOML keys}; null lifts a limit -> {"name","keys":[…],"reason","warnings":[…]}: to
//          the kernel at once, all or nothing (500 with its errno and path), and kept. Of a container of the host file
//          until the file's own value of that key changes; inspect shows "updated": {…}
//   POST   /v1/containers/{name}/rename?to=NAME   200; of a client's container only
//   GET    /v1/containers/{name}/top           {"name","state","pids":[…]}: of the host, ascending
//   GET    /v1/containers/{name}/logs[?follow=1][&tail=N][&since=RFC3339][&until=RFC3339][&attempt=N]   text/plain,
//          chunked, CRI log lines; attempt 0 is the last, -1 the one before it, N > 0 that one. positions=1: lines
//          `@FILE:BYTE ATTEMPT[ RECORD]` between them tell where the bytes behind them stand in the log (ATTEMPT: N of
//          attempt=N, or 0; RECORD: one that is not in the log), one before the first of them; from=FILE:BYTE goes on there, in place of tail and since
//   GET    /v1/containers/{name}/explain       {"name","state","reason","next",…,"attempts":[…]}
//   GET    /v1/containers/{name}/archive?path=P[&follow=1]   application/x-tar, chunked: the tree of P, its name at the root
//   POST   /v1/containers/{name}/archive?path=P[&owner=1][&as_named=1]   Upgrade: such a tar as `input`, into P
//   GET    /v1/containers/{name}/export        application/x-tar, chunked: its root without volumes
//   GET    /v1/containers/{name}/changes       [{"kind":"A|C|D","path"}…] of its copy-on-write layer
//   GET    /v1/events[?follow=1][&since=SEQ|RFC3339][&until=RFC3339][&container=a,b][&type=state,reload,update,daemon]
//          [&state=running,…][&result=oom,…]   application/x-ndjson, chunked; "result" stands in the event that tells an
//          attempt's end: clean, operator, exit, signal, oom, …; {"type":"gap","seq","reason"} where some are missing.
//          instance=I, or "" at first: begins with {"type":"instance","instance","seq"}, to be given with since=SEQ
//          after a break; {"type":"replaced","instance","seq","reason"} where that is another mydockerd by now
//   GET    /v1/stats[?follow=1][&interval=SECONDS][&containers=a,b]   application/x-ndjson, chunked: each second, or
//          once after 0.5 s, {"time","containers":[{"name","id","state","reason","restarts","next_start_ms" while it waits,
//          and of a living one "cpu_usec","cpu_percent" (of one CPU, since the last tick),"throttled_usec","memory",
//          "memory_max","memory_peak","swap","pids","pids_max","io_read","io_write","oom_kills","pressure":{"cpu","memory",
//          "io"} (PSI, some avg10)}]}; a limit that is not set is null, what the host cannot count is absent
//   GET    /metrics                            Prometheus text
// clang-format on
//
// {name} is a name, an id or an unambiguous prefix of an id. An error is
// {"error":"one line for people","code":"not_found|conflict|invalid|busy|failed","problems":[…]}
// with a matching status (404, 409, 400, 503, 500); `start` adds "exit_code" 126 or 127 where the
// workload could not be executed or found.
//
// A log line is the CRI format of Kubernetes: `2026-01-31T12:00:00.123456789Z stdout F text\n`;
// F ends a line of the workload, P is a part of one: no newline was written.
#pragma once

#include <cstddef>
#include <string_view>

namespace mydocker::protocol {

inline constexpr std::string_view default_state_dir = "/run/mydocker";
inline constexpr std::string_view default_socket = "/run/mydocker/mydockerd.sock";
inline constexpr std::string_view default_config = "/etc/mydocker/mydockerd.toml";
inline constexpr std::string_view api_version = "v1";

inline constexpr std::size_t max_header_bytes = 16UL * 1024;
inline constexpr std::size_t max_body_bytes = 4UL * 1024 * 1024;

// A chunked answer that could not be finished ends with this trailer: why.
inline constexpr std::string_view failure_trailer = "Mydocker-Failure";

// Who is connected when mydockerd shuts down is told so: in an error (503), that trailer, or the
// `end` of a framed stream. A connection that just ends is one whose mydockerd died or was
// replaced: connect again, for as long as there is the socket's file.
inline constexpr std::string_view shutting_down = "mydockerd is shutting down";

// Exit codes of mydocker-ctl where the workload's own is not known (docker run(1)).
inline constexpr int exit_daemon = 125;  // daemon or usage error
inline constexpr int exit_cannot_execute = 126;
inline constexpr int exit_not_found = 127;

}  // namespace mydocker::protocol
