// Errors as an update's author sees them: one class, a code to test for, a message to read.
//
//   try {
//     moult::redefine_function(moult::function<int(int)>("app::twice"), thrice);
//   } catch (const moult::Error& error) {
//     if (error.code() != moult::ErrorCode::inlined) throw;
//   }
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)
namespace moult {

/// Why an update could not be applied. `--json` and the protocol print these names.
enum class ErrorCode {
  invalid_argument,    ///< the call itself is wrong
  not_found,           ///< no such function, symbol, update or thread
  ambiguous,           ///< the name fits several functions; the message lists them
  signature_mismatch,  ///< found, but it has other parameters or another result
  inlined,             ///< the compiler inlined some or all of the calls of the old function
  too_short,           ///< the function has no room for the entry jump
  unsupported_code,    ///< the code cannot be replaced safely (a branch into the patched bytes, callers that rely on
                       ///< what the old version leaves alone, ...)
  no_room,             ///< no free memory within 2 GB of the function, or no memory or disk space at all
  not_an_update,       ///< the file has no MOULT_UPDATE entry, is no shared object, or is damaged
  abi_mismatch,        ///< built against another version of moult
  build_id_mismatch,   ///< built for another build of the program
  unreadable,          ///< the file cannot be read, or is cut short
  permission_denied,   ///< the peer, or the file's owner, is another user
  timed_out,           ///< a deadline passed
  thread_unstoppable,  ///< a thread did not reach a safepoint in time
  still_active,        ///< a call of a function that must have returned is on a stack
  alterability,        ///< the update's own criterion was not met
  unsupported,         ///< the request is a documented limit of moult
  internal,            ///< a step of the update threw an exception of its own
  system,              ///< a system call failed
  layout_mismatch,     ///< objects of the new class do not fit in place of the old ones, or code that stays would
                       ///< misread them
  superseded,          ///< a later update is already applied
};

/// The code's name as the enumeration spells it, for messages and the protocol.
std::string_view name_of(ErrorCode code) noexcept;

/// The only exception that moult itself throws, apart from std::bad_alloc. The message names the object, the place and
/// the next step.
class Error final : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace moult
#pragma GCC visibility pop
