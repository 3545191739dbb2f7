// Alternate signal stacks that are too small for the stop signal.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace moult::internal {

/// The bytes of an alternate stack that the stop signal's handler needs on this processor.
std::size_t least_alternate_stack() noexcept;

/// The calling thread is about to send stop signals. A thread that takes a small alternate stack meanwhile waits until
/// this is destroyed, and discards the signal that it was sent. One at a time. To be held for a moment only.
class SendingStopSignal final {
 public:
  SendingStopSignal() noexcept;
  ~SendingStopSignal();
  SendingStopSignal(const SendingStopSignal&) = delete;
  SendingStopSignal& operator=(const SendingStopSignal&) = delete;

  /// Whether the thread has an alternate stack on which the handler would end the program.
  bool is_too_much_for(pid_t task) const noexcept;
};

}  // namespace moult::internal
