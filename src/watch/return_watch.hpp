// Being told when a call that is in progress returns: the return address on its stack is replaced by that of a stub
// (platform/x86_64/return_stubs.hpp), which tells.
//
// After the return barriers of Jvolve (Subramanian, Hicks, McKinley, PLDI 2009).
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/address.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {

/// A call whose return is told of. A value: it stays good when the call has long returned.
struct WatchedCall {
  ThreadId thread{};
  std::uint32_t slot = 0;
  std::uint32_t use = 0;  ///< of the slot
};

/// True when the call has returned or was left by an exception. A call that was left by longjmp is not told of: only
/// the next watch finds out. From any thread; does not wait.
bool has_returned(const WatchedCall& call) noexcept;

struct Watch {
  std::vector<WatchedCall> calls;   ///< at most one a thread
  std::vector<ThreadId> unwatched;  ///< inside such a call, which nobody will tell of
  std::vector<ThreadId> unwinding;  ///< the same, but only for the moment: an exception is on its way

  bool is_complete() const noexcept { return unwatched.empty() && unwinding.empty(); }
};

/// Watches in each of `threads`, or in every thread when none is named, the outermost call of `functions`, sorted and
/// not overlapping: when that has returned, all have that were called from it. What cannot be watched is a call on a
/// stack that is not walked precisely, one of a thread that is unwinding its stack or going through it, one of the
/// stopping thread's own, and those for which no stub is left. Throws std::bad_alloc before anything is changed, and
/// Error (unsupported) on a processor that keeps shadow stacks.
Watch watch_returns(const StoppedWorld& stopped, std::span<const CodeRange> functions,
                    const std::vector<ThreadId>& threads);

/// Puts the return addresses back where nobody else watches the call. Once for each watch. Where the thread is
/// unwinding its stack the stub stays, and the call returns through it.
void end_watch(const StoppedWorld& stopped, std::span<const WatchedCall> calls) noexcept;

/// Whether the call is on a stack still. A call that was watched, has not returned and is on none was left by longjmp,
/// or its stack (a coroutine's) is one on which no thread stands.
bool is_on_stack(const StoppedWorld& stopped, const WatchedCall& call) noexcept;

/// Changes whenever a watched call has returned. Read before the calls are asked, it is what to sleep on.
std::uint32_t told_so_far() noexcept;
/// Sleeps until told_so_far() is no longer `seen`, for at most `timeout`; may wake for no reason.
void await_return(std::uint32_t seen, std::chrono::nanoseconds timeout) noexcept;

}  // namespace moult::internal
