// Errors as the update's author sees them: one class, a code to test for, a message to read.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)
namespace moult {

/// Why an update could not be carried out. The names are what `--json` and the protocol print.
enum class ErrorCode {
  invalid_argument,    ///< the call itself is wrong
  not_found,           ///< no such function, symbol, update or thread
  ambiguous,           ///< the name fits several things; the message lists them
  signature_mismatch,  ///< found, but it has other parameters or another result
  inlined,             ///< copies of the old function live inside its callers
  too_short,           ///< the function has no room for the entry jump
  unsupported_code,    ///< the code cannot be patched safely (a branch into the patched bytes, ...)
  no_room,             ///< no free memory within 2 GB of the function, or no memory or disk at all
  not_an_update,       ///< the file has no MOULT_UPDATE entry, or is no shared object
  abi_mismatch,        ///< built against another version of moult
  build_id_mismatch,   ///< built for another build of the program
  unreadable,          ///< the file cannot be read, or is cut short
  permission_denied,   ///< the peer or the file's owner is somebody else
  timed_out,           ///< a deadline passed
  thread_unstoppable,  ///< a thread could not be stopped at a safe place in time
  still_active,        ///< a function that must be left is on a stack
  alterability,        ///< the update's own criterion was not reached
  unsupported,         ///< what is asked is a documented limit of moult
  internal,            ///< a step of the update threw something of its own
  system,              ///< the operating system said no
  layout_mismatch,  ///< objects of the new class do not fit where the old one's are, or code that stays would misread
                    ///< them
  superseded,       ///< an update that was handed in later is in force already
};

/// The code's name as it stands in the enumeration, for messages and the protocol.
std::string_view name_of(ErrorCode code) noexcept;

/// What moult throws, and all it throws. The message names the object, the place and the next step.
class Error final : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace moult
#pragma GCC visibility pop
