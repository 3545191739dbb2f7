// Return barriers: a notification when calls in progress have returned, instead of repeated probes.
//
//   moult::redefine_function(&app::handle, &handle_v2);
//   moult::ReturnBarrier old_calls({&app::handle});                       // the calls of now
//   if (old_calls.wait(10s)) release(old_state);                          // the last one has returned
//
// After Jvolve (Subramanian, Hicks, McKinley, PLDI 2009): the return address of an active function is replaced with the
// address of a stub. The stub counts the return and jumps to the true caller, with the result unchanged. Exceptions,
// the end of a thread, and debuggers pass through it as through any frame.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "moult/relinking.hpp"
#include "moult/update.hpp"

#pragma GCC visibility push(default)
namespace moult {

/// Use it in place of wait_quiescence_of_functions: true leaves the program stopped with none of `functions` active. It
/// sleeps until the last of the calls it found has returned, and wakes some microseconds after that. It waits in the
/// same way for calls that began meanwhile. Where threads take turns in a function that need not end;
/// setup_force_quiescence keeps new calls out.
///
/// Calls without a notification are probed at intervals: a call on a stack that cannot be walked precisely, a call that
/// longjmp left, and a call that ended in a tail call (it returns when the callee does).
///
/// not_found: a function is unknown
/// thread_unstoppable: a thread did not reach a safepoint in time
/// unsupported: the processor keeps shadow stacks for the program
bool wait_return_of_functions(const std::vector<AnyFunction>& functions, const Patience& patience = {},
                              const std::vector<ThreadId>& threads = {});
bool wait_return_of_function(const AnyFunction& function, const Patience& patience = {},
                             const std::vector<ThreadId>& threads = {});

/// The calls of some functions that are in progress at its construction, whatever is called later. With it an update
/// that has redefined a function finds out when the last call of the old version has returned. Usable from any thread,
/// by one thread at a time.
class ReturnBarrier final {
 public:
  /// Stops the program for the check unless it is stopped. In each thread it watches the outermost call. Only the
  /// functions' own code counts, not the versions they were redefined as. A call that an exception is passing counts
  /// until it is left. If the exception is handled before, it counts until that call or a later one of its thread has
  /// returned. On an error nothing was changed.
  ///
  /// not_found: a function is unknown
  /// thread_unstoppable: a thread did not reach a safepoint in time
  /// unsupported: a call cannot be watched: it is the calling thread's own, or its stack cannot be walked precisely
  explicit ReturnBarrier(const std::vector<AnyFunction>& functions, const std::vector<ThreadId>& threads = {});
  /// Restores the return addresses of calls still in progress, in a stop. If the program cannot be stopped, those calls
  /// return through their stubs, which is harmless.
  ~ReturnBarrier();
  ReturnBarrier(ReturnBarrier&&) noexcept;
  ReturnBarrier& operator=(ReturnBarrier&&) noexcept;

  /// The number of calls that have not returned yet. Does not wait.
  std::size_t in_progress() const noexcept;
  /// Sleeps until every call has returned (true) or `timeout` has passed (false). It detects a call that longjmp left
  /// about once a second, by a stop. Not in a stopped program.
  bool wait(std::chrono::milliseconds timeout);

 private:
  class [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moult
#pragma GCC visibility pop
