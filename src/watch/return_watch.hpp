// Return barriers: they report the return of a call in progress.
//
// The call's return address on the stack is replaced by the address of a stub (platform/x86_64/return_stubs.hpp), which
// reports. After the return barriers of Jvolve (Subramanian, Hicks, McKinley, PLDI 2009).
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/address.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// A watched call. A plain value, still valid when the call has returned.
struct WatchedCall {
  ThreadId thread{};
  std::uint32_t slot = 0;
  std::uint32_t use = 0;  ///< counts the slot's uses
};

/// True when the call has returned, or an exception has left it. A call that longjmp has left is noticed by the next
/// watch only. Safe in any thread; does not wait.
bool has_returned(const WatchedCall& call) noexcept;

struct Watch {
  std::vector<WatchedCall> calls;   ///< at most one a thread
  std::vector<ThreadId> unwatched;  ///< in such a call, whose return is not reported
  std::vector<ThreadId> unwinding;  ///< the same, but only while an exception unwinds the stack

  bool is_complete() const noexcept { return unwatched.empty() && unwinding.empty(); }
};

/// Watches the outermost call of `functions` in each of `threads`, or in every thread when `threads` is empty. When
/// that call has returned, all calls inside it have. `functions` is sorted and does not overlap. A call cannot be
/// watched:
/// - on a stack that is not walked precisely
/// - of a thread whose stack is being unwound, or walked by the unwinder
/// - of the stopping thread itself
/// - when no stub is left
/// Throws Error (unsupported) on a processor that keeps shadow stacks; std::bad_alloc, before any change.
Watch watch_returns(const StoppedWorld& stopped, std::span<const CodeRange> functions,
                    const std::vector<ThreadId>& threads);

/// Restores the return addresses of calls that no other watch shares. Called once for each watch. While a thread's
/// stack is being unwound the stub stays, and the call returns through it.
void end_watch(const StoppedWorld& stopped, std::span<const WatchedCall> calls) noexcept;

/// Whether the call is still on a thread's stack. A watched call that has not returned and is on none was left by
/// longjmp, or belongs to a suspended coroutine.
bool is_on_stack(const StoppedWorld& stopped, const WatchedCall& call) noexcept;

/// Counts the returns of watched calls. A waiting thread reads it, asks has_returned, and then calls await_return.
std::uint32_t returns_so_far() noexcept;
/// Sleeps until returns_so_far() differs from `seen`, for at most `timeout`; may wake early.
void await_return(std::uint32_t seen, std::chrono::nanoseconds timeout) noexcept;

}  // namespace moult::internal
