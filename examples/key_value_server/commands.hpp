// What requests do.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol.hpp"
#include "store.hpp"

namespace key_value {

/// What commands work on.
struct Database {
  Store store;
  std::atomic<std::uint64_t> requests = 0;  ///< carried out so far
  bool has_debug_commands = false;
};

struct Command {
  std::string_view name;  ///< in capitals
  std::size_t fewest_words;
  std::size_t most_words;
  /// Adds one reply. From any thread.
  void (*run)(Database& database, const Request& request, Replies& replies);
};

/// Runs that of `commands` which the request names, in capitals or not.
void run_command(std::span<const Command> commands, Database& database, const Request& request, Replies& replies);

/// The version's commands.
std::span<const Command> commands() noexcept;

/// Does what a request wants, and counts it. The one way into all commands: when it is on no stack no thread is in the
/// middle of any. It counts last: had it nothing to do after the command, the compiler would have it jump there instead
/// of calling it, and it would be on no stack while the command runs.
void execute(Database& database, const Request& request, Replies& replies);

/// What INCR makes of a value, or of none, and replies; nothing where that is an error.
std::optional<std::int64_t> incremented(const Value* value, Replies& replies);

/// What GET replies.
void add_value(Replies& replies, const std::optional<Value>& value);

}  // namespace key_value
