// Stepping a stopped thread out to a safepoint, one instruction after the other.
//
// Why: a thread that does little but print is hardly ever found outside of stdio by chance. Releasing it for a moment
// and asking again may take a second, while all others stand still.
//
// How: the thread continues with the processor's trap flag set. After each instruction the kernel raises SIGTRAP in it,
// and the handler checks whether it has reached its destination. There it stops again, as for a request by signal.
//
// Limits: a blocked trap would end the process. So only a thread with SIGTRAP unblocked is stepped. It stops where it
// is before a system call that may block the trap or create a thread or process. It also stops if it has not arrived
// within `most_steps`, for example because it left by an exception. Other uses of SIGTRAP are left alone: no thread is
// stepped if the program handles SIGTRAP or a debugger is attached, and an int3 ends the program as it would have.
//
// A thread whose request was withdrawn (stop_signal.hpp) finds that at its next trap and continues without the flag.
// That may be long after the stop, so the handler stays installed.
#pragma once

#include <cstdint>

#include "platform/stop_signal.hpp"

namespace moult::internal {

inline constexpr std::uint32_t most_steps = 30'000;

/// Whether threads can be stepped: SIGTRAP is moult's, or was unused. Only the stopping thread calls it.
bool claim_traps() noexcept;

/// Whether the stopped thread of `slot` can be stepped from where it is.
bool can_be_stepped(const StopSlot& slot) noexcept;

/// For a thread that was released with a destination, in its handler of the stop signal: makes it trap after each
/// instruction. The slot's word equals `request` as long as the request stands. Async-signal-safe.
void begin_steps(StopSlot& slot, std::uint32_t request, ucontext_t& context) noexcept;
/// The interrupted code of this thread continues without traps. Does nothing if there were none. Async-signal-safe.
void end_steps(ucontext_t& context) noexcept;

}  // namespace moult::internal
