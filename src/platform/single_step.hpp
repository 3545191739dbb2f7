// Leading a stopped thread out of a place where it may not stay, one instruction after the other.
//
// Why: a thread that does little else than print is hardly ever met outside of stdio by chance. Whoever lets it go for
// a moment and asks again may do so for a second, while all others stand still.
//
// How: the thread goes on with the processor's trap flag set. After each instruction the kernel raises SIGTRAP in it,
// and the handler looks whether it has returned to its destination: there it stops again, as for a request by signal.
//
// A trap that is blocked would end the process. So only a thread that has SIGTRAP open is led; it stops where it is
// before a system call that may change that or make a thread or process. It also stops when it does not arrive within
// `most_steps`, having left by an exception, say. Somebody else's SIGTRAP is left alone: where the program handles it
// or a debugger is attached, nobody is led; and an int3 ends the program as it would have.
//
// A thread whose request was taken back (stop_signal.hpp) finds that at its next trap and goes on without the flag.
// That may be long after the stop, so the handler stays.
#pragma once

#include <cstdint>

#include "platform/stop_signal.hpp"

namespace moult::internal {

inline constexpr std::uint32_t most_steps = 30'000;

/// True when threads can be led: SIGTRAP is ours, or was nobody's. Only the stopper calls it.
bool claim_traps() noexcept;

/// Whether the stopped thread of `slot` can be led from where it is.
bool can_be_stepped(const StopSlot& slot) noexcept;

/// For a thread that was let go with a destination, in its handler of the stop signal: makes it trap after each
/// instruction. `request` is the slot's word as long as it is wanted. Async-signal-safe.
void begin_steps(StopSlot& slot, std::uint32_t request, ucontext_t& context) noexcept;
/// The interrupted code of this thread goes on without traps; nothing when it did so anyway. Async-signal-safe.
void end_steps(ucontext_t& context) noexcept;

}  // namespace moult::internal
