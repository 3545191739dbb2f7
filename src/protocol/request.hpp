// The requests to a running program, as values. docs/protocol.md is the contract. Nothing here does I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "moult/error.hpp"
#include "moult/log.hpp"

namespace moult::internal {

/// The reason of a failure: the `error` of a reply.
struct Failure {
  ErrorCode code = ErrorCode::internal;
  std::string message;
};

struct AuthenticateRequest {
  std::string token;
};

struct StatusRequest {};

struct UpdateRequest {
  std::string path;  ///< absolute
  bool force = false;
  /// The time for all updates of the file together.
  std::chrono::milliseconds wait{30000};
  /// The file's name in messages, if it was compiled from a source that the sender knows; empty: its path.
  std::string source{};
  /// False: updates that are not applied when the time is over are withdrawn.
  bool keep_trying = true;
  /// Notices of what keeps the updates waiting come before the reply.
  bool notices = false;
  /// Names the request for a WithdrawRequest; empty: it cannot be withdrawn.
  std::string key{};
};

/// Withdraws what the update request with that key has submitted, and will submit. That request is then answered.
struct WithdrawRequest {
  std::string key;
};

struct CheckRequest {
  std::string path;  ///< absolute
  bool force = false;
  std::string source{};  ///< as in UpdateRequest
};

struct ThreadsRequest {
  bool locals = false;  ///< also inlined calls as frames, and each frame's variables
};

struct FunctionsRequest {
  std::string match;
  std::size_t most = 200;
};

struct ObjectsRequest {};

struct LogRequest {
  std::uint64_t after = 0;
  bool follow = false;
};

struct LastUpdate {};  ///< the one that changed the program last
struct AllUpdates {};  ///< those that wait are withdrawn, and the applied ones rolled back, the last change first

struct RollbackRequest {
  std::variant<std::uint64_t, std::string, LastUpdate, AllUpdates> update;
  std::chrono::milliseconds wait{10000};
};

struct SetRequest {
  std::optional<LogLevel> log_level;
  std::optional<std::string> log_path;
};

/// A line that is no request, and the reason.
struct MalformedRequest {
  Failure failure;
};

using Command =
    std::variant<MalformedRequest, AuthenticateRequest, StatusRequest, UpdateRequest, WithdrawRequest, CheckRequest,
                 ThreadsRequest, FunctionsRequest, ObjectsRequest, LogRequest, RollbackRequest, SetRequest>;

struct Request {
  std::string id;  ///< JSON text of the request's `id`, a string or a number; empty if it has none
  Command command;
};

/// Parses one line without its newline: a JSON object or one of Pymoult's plain lines. Throws only std::bad_alloc: a
/// line that is not understood becomes a MalformedRequest, with the `id` if it has one.
Request parse_request(std::string_view line);

/// The JSON line of a request, without a newline. Throws Error (invalid_argument) for a MalformedRequest.
std::string format_request(const Request& request);

}  // namespace moult::internal
