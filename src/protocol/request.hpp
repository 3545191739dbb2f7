// What a client may ask of a running program, as values. docs/protocol.md is the contract; nothing here does I/O.
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

/// Why something was not done: the `error` of a reply.
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
  /// For all updates of the file together.
  std::chrono::milliseconds wait{30000};
  /// What messages call the file, where it was compiled from something the sender knows better; empty: its path.
  std::string source{};
};

struct CheckRequest {
  std::string path;  ///< absolute
  bool force = false;
  std::string source{};  ///< as in UpdateRequest
};

struct ThreadsRequest {
  bool locals = false;  ///< inlined calls as frames too, and the variables of each
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

struct RollbackRequest {
  std::variant<std::uint64_t, std::string> update;
  std::chrono::milliseconds wait{10000};
};

struct SetRequest {
  std::optional<LogLevel> log_level;
  std::optional<std::string> log_path;
};

/// A line that is no request, and why.
struct MalformedRequest {
  Failure failure;
};

using Command = std::variant<MalformedRequest, AuthenticateRequest, StatusRequest, UpdateRequest, CheckRequest,
                             ThreadsRequest, FunctionsRequest, ObjectsRequest, LogRequest, RollbackRequest, SetRequest>;

struct Request {
  std::string id;  ///< JSON text of the request's `id`, a string or a number; empty when it has none
  Command command;
};

/// Reads one line, without its newline: a JSON object or one of Pymoult's plain lines. Never throws but for want of
/// memory: what makes no sense becomes a MalformedRequest, with the `id` where there is one.
Request parse_request(std::string_view line);

/// The JSON line of a request, without a newline. A MalformedRequest cannot be sent: throws Error (invalid_argument).
std::string format_request(const Request& request);

}  // namespace moult::internal
